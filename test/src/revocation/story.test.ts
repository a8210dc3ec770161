import {
  addDays,
  DAY_MS,
  EMPTY_BODY_SHA256,
  presignRequest,
  scopeDateOf,
  signRequest,
  startOfScopeDate,
  verifyRequest,
  type CredentialScope,
  type KeyFinding,
  type RequestHead,
  type ScopeDate,
} from '@sigv4-keyd/sigv4-core';
import { isInWindow } from '@sigv4-keyd/hop-protocol';
import { DEFAULT_HORIZONS, describeScope, FeedState, keptUntil, RevocationSet } from '@sigv4-keyd/revocation';
import t from 'tap';
import { policyWith, signingKey } from '../sigv4-core/policy.js';
import { day } from '../support/days.js';
import { createFeedKeys, HOUR_MS, Publisher, RULE } from './publisher.js';

/*
 * A breach is found in us-east-1 on the 5th; the logs show that it began on the 1st. Only signatures made with scopes
 * of that region and dated from the 1st on are suspicious. Everything else is still good.
 */
const REGIONS = ['us-east-1', 'eu-west-1', 'ap-south-1'] as const;
const SERVICES = ['s3', 'dynamodb'] as const;
const OLD_KEYS = ['AKIAANN', 'AKIABEN', 'AKIACYD', 'AKIADOT', 'AKIAEVE', 'AKIAFAY'];
const NEW_KEYS = ['AKIANEW1', 'AKIANEW2'];
const FIRST = day('20261030');
const BREACH = { from: day('20261101'), to: day('20261105') };
const LAST = day('20261107');
const FOUND_AT = Date.parse('2026-11-05T14:00:00Z');
const CREATED: ReadonlyMap<string, number> = new Map([
  ...OLD_KEYS.map((id) => [id, Date.parse('2026-09-01T00:00:00Z')] as const),
  ...NEW_KEYS.map((id) => [id, FOUND_AT] as const),
]);

interface Signature {
  readonly accessKeyId: string;
  readonly region: string;
  readonly service: string;
  readonly date: ScopeDate;
  readonly mechanism: 'header' | 'presigned';
  readonly signedAt: number;
  readonly head: RequestHead;
}

const secretOf = (accessKeyId: string): string => `secret of ${accessKeyId}`;

/** Signatures of 18:00 of each day, by every access key that exists then; presigned ones live the full seven days. */
function allSignatures(): readonly Signature[] {
  const days = Array.from({ length: 9 }, (_, index) => addDays(FIRST, index));
  return days.flatMap((date) => {
    const signedAt = startOfScopeDate(date) + 18 * HOUR_MS;
    return [...CREATED]
      .filter(([, createdAt]) => createdAt <= signedAt)
      .flatMap(([accessKeyId]) =>
        REGIONS.flatMap((region) =>
          SERVICES.flatMap((service) =>
            (['header', 'presigned'] as const).map((mechanism) => {
              const facts = { accessKeyId, region, service, date, mechanism, signedAt };
              return { ...facts, head: sign(facts) };
            }),
          ),
        ),
      );
  });
}

function sign({ accessKeyId, region, service, mechanism, signedAt: now }: Omit<Signature, 'head'>): RequestHead {
  const host = ['host', 'api.example'] as const;
  const request = { method: 'GET', target: '/things', headers: [host] };
  const credentials = { accessKeyId, secretAccessKey: secretOf(accessKeyId) };
  if (mechanism === 'presigned') {
    const { target } = presignRequest(request, credentials, { now, region, service, expiresSeconds: 604_800 });
    return { method: 'GET', target, rawHeaders: [...host] };
  }
  const { headers } = signRequest(request, credentials, { now, region, service, payload: { kind: 'unsigned' } });
  return { method: 'GET', target: '/things', rawHeaders: [host, ...headers].flat() };
}

/** An edge, as far as revocation goes: it asks the feed's state before it hands out a key. */
function edgeWith(state: FeedState) {
  return async ({ head, region, service }: Signature, now: number): Promise<string> => {
    const policy = policyWith({
      region,
      service,
      pathRule: service === 's3' ? 's3' : 'standard',
      acceptsDate: (date, at) => isInWindow(RULE, date, at),
    });
    const lookupKey = (accessKeyId: string, scope: CredentialScope): KeyFinding => {
      if (state.freshness(now, DEFAULT_HORIZONS) === 'hard') return { found: false, reason: 'feed-stale' };
      const createdAt = CREATED.get(accessKeyId);
      const hit = state.revocations.find({ accessKeyId, ...scope, createdAt });
      if (hit !== undefined) return { found: false, reason: 'scope-revoked' };
      return { found: true, key: signingKey(scope, secretOf(accessKeyId)) };
    };
    const verdict = await verifyRequest(head, policy, {
      now,
      lookupKey,
      bodySha256: () => Promise.resolve(EMPTY_BODY_SHA256),
    });
    return verdict.verdict === 'accepted' ? 'accepted' : verdict.reason;
  };
}

t.test('the story: exactly the signatures of the breach are refused, and not one beside them', async (t) => {
  const publisher = new Publisher(await createFeedKeys());
  const state = FeedState.empty(publisher.keys.pinned, RULE);
  const edge = edgeWith(state);
  const signatures = allSignatures();
  const beat = async (now: number) => {
    const { beacon } = await state.accept(await publisher.document(now), now);
    t.equal(beacon.outcome, 'advanced', `the beat of ${new Date(now).toISOString()} is taken`);
  };
  /** The verdict on each signature that is presented at `now`, against what is due. */
  const judge = async (now: number, due: (signature: Signature) => string, what: string) => {
    const wrong: string[] = [];
    const counts: Record<string, number> = {};
    for (const signature of signatures.filter(({ signedAt }) => signedAt <= now)) {
      const verdict = await edge(signature, now);
      counts[verdict] = (counts[verdict] ?? 0) + 1;
      if (verdict !== due(signature)) {
        const { accessKeyId, region, service, date, mechanism } = signature;
        wrong.push(`${mechanism} ${accessKeyId}/${date}/${region}/${service}: ${verdict}, not ${due(signature)}`);
      }
    }
    t.same(wrong, [], `${what}: ${JSON.stringify(counts)}`);
    return counts;
  };
  /** What would be said if nothing were revoked. */
  const undisturbed = (now: number) => (signature: Signature) => {
    if (!isInWindow(RULE, signature.date, now)) return 'date-outside-window';
    if (signature.mechanism === 'header') return now === signature.signedAt ? 'accepted' : 'request-too-old';
    return now < signature.signedAt + 604_800_000 ? 'accepted' : 'presigned-expired';
  };
  const isOfTheBreach = ({ region, date, accessKeyId }: Signature) =>
    region === 'us-east-1' && date >= BREACH.from && date <= BREACH.to && !NEW_KEYS.includes(accessKeyId);
  const revoked = (now: number) => (signature: Signature) => {
    const verdict = undisturbed(now)(signature);
    return verdict === 'accepted' && isOfTheBreach(signature) ? 'scope-revoked' : verdict;
  };

  for (let date = FIRST; date < BREACH.to; date = addDays(date, 1)) {
    const now = startOfScopeDate(date) + 18 * HOUR_MS;
    await beat(now);
    await judge(now, undisturbed(now), `before it is known, ${date}`);
  }

  const { statement } = await publisher.revoke({ ...BREACH, region: 'us-east-1', issuedBefore: FOUND_AT });
  t.equal(
    describeScope(statement),
    'every access key, created before 2026-11-05T14:00:00.000Z, in region us-east-1, for every service, ' +
      'signed from 2026-11-01 to 2026-11-05 inclusive (UTC)',
  );
  for (let date = BREACH.to; date <= LAST; date = addDays(date, 1)) {
    const now = startOfScopeDate(date) + 18 * HOUR_MS;
    await beat(now);
    const counts = await judge(now, revoked(now), `afterwards, ${date}`);
    t.ok((counts['scope-revoked'] ?? 0) > 0 && (counts['accepted'] ?? 0) > 0, 'both kinds were among them');
  }

  for (const now of [startOfScopeDate(day('20261110')), Date.parse('2026-11-12T17:59:59Z')]) {
    await beat(now);
    const counts = await judge(now, revoked(now), 'presigned URLs that outlive the range');
    t.ok((counts['scope-revoked'] ?? 0) > 0, 'some of the breach are still unexpired');
  }

  const end = keptUntil(statement, RULE) + RULE.clockSkewSeconds * 1000;
  t.equal(end, startOfScopeDate(BREACH.to) + 8 * DAY_MS + 2 * 900_000);
  await beat(end - 1);
  t.equal(state.revocations.size, 1, 'kept for as long as a clock may differ');
  await beat(end);
  t.equal(state.revocations.size, 0, 'then forgotten');
  await judge(end, revoked(end), 'forgotten, and nothing of the breach is accepted');
  t.ok(scopeDateOf(end) > LAST);
});

t.test('the region comes back on the next day, by new access keys at once, and by a lift', async (t) => {
  const publisher = new Publisher(await createFeedKeys());
  const revocation = await publisher.revoke({ ...BREACH, region: 'us-east-1', issuedBefore: FOUND_AT });
  const scope = { accessKeyId: 'AKIAANN', region: 'us-east-1', service: 's3', date: BREACH.to, createdAt: 0 };
  const closed = RevocationSet.of([revocation]);
  t.ok(closed.find(scope), 'closed');
  t.notOk(closed.find({ ...scope, date: addDays(BREACH.to, 1) }), 'open on the next day');
  t.notOk(closed.find({ ...scope, accessKeyId: 'AKIANEW1', createdAt: FOUND_AT }), 'open to new access keys');
  t.notOk(RevocationSet.of([revocation, await publisher.lift(revocation)]).find(scope), 'open after the lift');
});
