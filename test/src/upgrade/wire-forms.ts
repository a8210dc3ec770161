import {
  DATE_KEYS,
  dayStreamFrames,
  encodeKeyAnswer,
  encodeSealedAnswer,
  Recipient,
  REGION_KEYS,
  sealTo,
  SERVICE_KEYS,
  SIGNING_KEYS,
  signSessionToken,
  type AnswerScope,
  type Hop,
  type KeyAnswer,
  type Sealing,
  type Session,
} from '@sigv4-keyd/hop-protocol';
import { encodeIssuanceRecord, leafHash, noteSigner, signCheckpoint, type IssuanceRecord } from '@sigv4-keyd/ledger';
import { kDate, kRegion, kSecret, kService, kSigning } from '@sigv4-keyd/sigv4-core';
import { day } from '../support/days.js';
import { fixedFeedKey, fixedHalf } from './fixed-keys.js';

export const DATE = day('20261122');
export const IDS = ['AKIAONE', 'AKIATHREE', 'AKIATWO'] as const;
const ABSENT = { AKIATHREE: 'disabled' } as const;

const ofDate = kDate(kSecret('a secret of no worth'), DATE);
const ofRegion = kRegion(ofDate, 'us-east-1');
const ofService = kService(ofRegion, 's3');

/** A hop, the scope of who asks, and the key that all access keys of the sample have. */
export interface SampleHop<Key> {
  readonly hop: Hop<Key>;
  readonly scope: AnswerScope;
  readonly key: Key;
}

/** Calls `use` with each hop that keys come down by. */
export function eachHop<Result>(use: <Key>(sample: SampleHop<Key>) => Result): readonly Result[] {
  const region = { region: 'us-east-1' };
  const service = { ...region, service: 's3' };
  return [
    use({ hop: DATE_KEYS, scope: {}, key: ofDate }),
    use({ hop: REGION_KEYS, scope: region, key: ofRegion }),
    use({ hop: SERVICE_KEYS, scope: service, key: ofService }),
    use({ hop: SIGNING_KEYS, scope: service, key: kSigning(ofService) }),
  ];
}

/** The same facts in every sample: one access key with all that can be known of it, one with the least. */
export function sampleAnswer<Key>(key: Key): KeyAnswer<Key> {
  const least = { accessKeyId: 'AKIAONE', version: 1, createdAt: 1_763_000_000_000 };
  const most = { accessKeyId: 'AKIATWO', version: 3, createdAt: 7, expiresAt: 9_007, services: ['s3', 'sqs'] };
  return {
    issued: new Map([least, most].map((facts) => [facts.accessKeyId, { facts, key }])),
    absent: new Map(Object.entries(ABSENT)),
  };
}

/** Who asks in the samples: the same each time. */
export const recipient = (): Recipient => new Recipient(fixedHalf(RECIPIENT_SEED));
const RECIPIENT_SEED = 1;
const SENDER_SEED = 2;

export const SESSION: Session = {
  accessKeyId: 'ASIASESSIONOFASAMPLE',
  parentAccessKeyId: 'AKIAONE',
  name: 'alice',
  regions: ['us-east-1'],
  services: ['s3', 'sqs'],
  createdAt: 1_763_000_000_000,
  expiresAt: 1_763_003_600_000,
};

/** Every form that is the same each time it is written, by its name. */
export async function wireForms(): Promise<Readonly<Record<string, string>>> {
  const answers = eachHop(({ hop, scope, key }) => [
    `POST ${hop.path}: JSON`,
    JSON.stringify(encodeKeyAnswer(hop, DATE, scope, sampleAnswer(key))),
  ]);
  const streams = await Promise.all(
    eachHop(async (sample) => [`POST ${sample.hop.path}/day: hex`, await streamed(sample)]),
  );
  const sealed = eachHop(({ hop, scope, key }) => [
    `POST ${hop.path}: sealed, hex`,
    encodeSealedAnswer(hop, { date: DATE, scope, sealing: sealingOf(hop) }, sampleAnswer(key)).toString('hex'),
  ]);
  const sealedStreams = await Promise.all(
    eachHop(async (sample) => [
      `POST ${sample.hop.path}/day: sealed, hex`,
      await streamed(sample, sealingOf(sample.hop)),
    ]),
  );
  const session = ['session token', await signSessionToken(SESSION, await fixedFeedKey('revocation'))];
  return Object.fromEntries([
    ...answers,
    ...streams,
    ...sealed,
    ...sealedStreams,
    ...ledgerForms(),
    session,
  ]) as Readonly<Record<string, string>>;
}

const sealingOf = ({ path }: { readonly path: string }): Sealing =>
  sealTo(recipient().publicKey, path, fixedHalf(SENDER_SEED));

async function streamed<Key>({ hop, scope, key }: SampleHop<Key>, sealing?: Sealing): Promise<string> {
  const keys = [...sampleAnswer(key).issued.values()].map(({ facts }) => ({ facts, key: hop.exportKey(key) }));
  async function* pages(): AsyncGenerator<typeof keys> {
    yield await Promise.resolve(keys);
  }
  const frames: Buffer[] = [];
  const stream = { request: { date: DATE, which: 'all' }, scope, sealing, pages: pages() } as const;
  for await (const frame of dayStreamFrames(hop, stream)) frames.push(Buffer.from(frame));
  return Buffer.concat(frames).toString('hex');
}

export const LOG_ORIGIN = 'keyd.example/issuance';
const SEED = Buffer.alloc(32, 7);

export function sampleRecord(accessKeyIds: readonly string[] = IDS): IssuanceRecord {
  return {
    v: 1,
    id: 'a-record',
    at: '2026-11-22T10:00:00.000Z',
    from: 'spiffe://keyd.example/region/us-east-1/r1',
    to: 'spiffe://keyd.example/edge/us-east-1/s3/e1',
    date: DATE,
    accessKeyIds,
    requestId: 'a-request',
    rung: 'kService',
    region: 'us-east-1',
    service: 's3',
  };
}

function ledgerForms(): readonly (readonly [string, string])[] {
  const record = encodeIssuanceRecord(sampleRecord());
  const root = leafHash(Buffer.from(record));
  const signer = noteSigner(LOG_ORIGIN, SEED);
  return [
    ['issuance record', record],
    ['checkpoint', signCheckpoint({ origin: LOG_ORIGIN, size: 1, root, extensions: [] }, [signer])],
    ['key of the log', signer.verifierKey],
  ];
}
