import { createMtlsAgent, type TlsFiles } from '@sigv4-keyd/fastify-mtls';
import { configuration, startDeputyKeyd, type DeputyContext } from '@sigv4-keyd/deputy-keyd';
import {
  DEPUTY_GRANTS_PATH,
  deputyGrant,
  mtlsKeySource,
  PeerClient,
  REGION_KEYS,
  withdrawnGrants,
  type RegionKeySource,
} from '@sigv4-keyd/hop-protocol';
import { publicJwks } from '@sigv4-keyd/revocation';
import { readConfiguration, type RunningService } from '@sigv4-keyd/service-skeleton';
import type { Test } from 'tap';
import type { WiredMaster } from '../ledger-wired/wired-master.js';
import { capturedLog, recordingInto, sharedFeedKeys, TODAY } from '../master-keyd/master-under-test.js';
import { TRUST_DOMAIN } from '../support/certificates.js';
import { newStateFolder } from '../support/state-folder.js';
import { tierSettings } from '../support/tier-settings.js';
import { STANDING_TIMER } from '../support/standing-timer.js';

export const DEPUTY = `spiffe://${TRUST_DOMAIN}/deputy/d1`;
/** A master that has deputies. */
export const ON = { env: { KEYD_ALLOW_DEPUTIES: 'yes' } };

export interface WiredDeputy {
  readonly service: RunningService;
  readonly url: string;
  readonly stateFolder: string;
  /** Of its certificate: what is kept on disk is sealed under its key. */
  readonly files: TlsFiles;
  readonly logged: readonly string[];
  /** Every byte of every answer's body that regions received. */
  readonly received: readonly Buffer[];
  readonly client: (region: string, name?: string) => Promise<PeerClient>;
  readonly region: (region: string, name?: string) => Promise<RegionKeySource>;
  readonly status: () => Promise<DeputyStatus>;
  /** Moves the clock from beat to beat until its status is so. */
  readonly until: (isSo: (status: DeputyStatus) => boolean) => Promise<DeputyStatus>;
}

export interface DeputyStatus {
  readonly heldDays: readonly { readonly date: string; readonly keys: number }[];
  readonly grants: readonly { readonly from: string; readonly to: string }[];
  readonly keyCache: { readonly isBehind: boolean };
  readonly feed: { readonly version?: number; readonly banned: readonly string[] };
  readonly journal: { readonly recorded: number; readonly behind: number; readonly failure?: string };
}

export interface DeputyOptions extends Pick<DeputyContext, 'makeDurable'> {
  readonly stateFolder?: string;
  readonly files?: TlsFiles;
  readonly env?: Readonly<Record<string, string>>;
}

/** What did not happen by then never will. */
const MOST_BEATS = 300;

/** A deputy below a master, over real mTLS, on the master's clock. */
export async function wiredDeputy(t: Test, master: WiredMaster, options: DeputyOptions = {}): Promise<WiredDeputy> {
  const { authority, clock } = master;
  const stateFolder = options.stateFolder ?? newStateFolder(t);
  const { log, logged } = capturedLog();
  const { makeDurable } = options;
  const files = options.files ?? (await authority.filesOf({ role: 'deputy', name: 'd1' }));
  const masterUrl = `https://${master.service.addresses['hop'] ?? ''}`;
  const service = await startDeputyKeyd(
    readConfiguration(configuration, {
      ...(await deputyEnvironment(files, { stateFolder, masterUrl })),
      ...options.env,
    }),
    { clock, log, timer: STANDING_TIMER, random: () => 0.5, ...(makeDurable && { makeDurable }) },
  );
  let isClosed: Promise<void> | undefined;
  const close = (): Promise<void> => (isClosed ??= service.close());
  t.teardown(close);
  const received: Buffer[] = [];
  const url = `https://${service.addresses['hop'] ?? ''}`;
  const client = async (region: string, name = 'r1'): Promise<PeerClient> => {
    const credentials = await authority.credentials({ role: 'region', region, name });
    const agent = createMtlsAgent({
      credentials,
      timer: STANDING_TIMER,
      acceptsServer: ({ segments }) => segments[0] === 'deputy',
    });
    t.teardown(() => agent.close());
    return new PeerClient({
      urls: [new URL(url)],
      dispatcher: agent.compose(recordingInto(received)),
      timer: STANDING_TIMER,
    });
  };
  const status = async (): Promise<DeputyStatus> => {
    const answer = await fetch(`http://${service.addresses['health'] ?? ''}/status`);
    return (await answer.json()) as DeputyStatus;
  };
  return {
    service: { ...service, close },
    url,
    stateFolder,
    files,
    logged,
    received,
    client,
    region: async (region, name) => mtlsKeySource(REGION_KEYS, { region }, await client(region, name)),
    status,
    async until(isSo) {
      for (let beats = 0; ; beats += 1) {
        const told = await status();
        if (isSo(told)) return told;
        if (beats === MOST_BEATS) throw new Error(`the deputy stays ${JSON.stringify(told)}`);
        await clock.advance(1_000);
      }
    },
  };
}

/** The environment of a deputy that lacks nothing. */
export async function deputyEnvironment(
  files: TlsFiles,
  { stateFolder, masterUrl }: { readonly stateFolder: string; readonly masterUrl: string },
): Promise<Record<string, string>> {
  const { revocation, beacon, root } = await sharedFeedKeys();
  return {
    ...tierSettings(files, JSON.stringify(publicJwks([revocation, beacon, root])), stateFolder),
    KEYD_LISTEN: '127.0.0.1:0',
    KEYD_MASTERS: masterUrl,
  };
}

export async function grant({ client }: Pick<WiredMaster, 'client'>, from = TODAY, to = from): Promise<void> {
  const body = { deputy: DEPUTY, from, to, reason: 'the HSM is moved' };
  await client.call({ method: 'POST', path: DEPUTY_GRANTS_PATH, body, answer: deputyGrant });
}

export async function withdraw({ client }: Pick<WiredMaster, 'client'>): Promise<void> {
  const path = `${DEPUTY_GRANTS_PATH}?deputy=${encodeURIComponent(DEPUTY)}`;
  await client.call({ method: 'DELETE', path, answer: withdrawnGrants });
}

export const keysOf = ({ heldDays }: DeputyStatus, date: string): number =>
  heldDays.find((day) => day.date === date)?.keys ?? 0;
