import { DAY_MS } from '@sigv4-keyd/sigv4-core';
import t from 'tap';
import { presigned, signed, type Message } from '../edge-verifier/client.js';
import { LeapingClock } from '../support/leaping-clock.js';
import { SkewedClock } from './skewed-clock.js';
import { REGION, tiersOfAYear } from './tiers-of-a-year.js';

const MINUTE = 60_000;
const SKEW_MS = 15 * MINUTE;
/** A leap year, from its first midnight on: 366 of them. */
const FIRST_DAY = Date.parse('2028-01-01T00:00:00Z');
const DAYS = 366;

/** Each client's clock is off by so much. The last two are wrong: they are not correct clients any more. */
const CLIENTS = [0, 4, -4, 9, -9, 60, -60].map((minutes, index) => ({
  accessKeyId: `AKIACLIENT${index}`,
  secret: `the secret of client ${index}`,
  offMs: minutes * MINUTE,
}));
const OFFS = { master: 3 * MINUTE, region: -4 * MINUTE, edges: [0, 5 * MINUTE, -5 * MINUTE] } as const;

interface Signature {
  readonly message: Message;
  /** By the client's clock. */
  readonly signedAt: number;
  /** Absent: in the header. */
  readonly livesMs?: number;
  readonly by: number;
}

/** The rule of the protocol, in a sentence each, by the edge's clock. */
function shouldBeAccepted({ signedAt, livesMs }: Signature, edgeNow: number): boolean {
  if (livesMs === undefined) return Math.abs(edgeNow - signedAt) <= SKEW_MS;
  return signedAt - edgeNow <= SKEW_MS && edgeNow <= signedAt + livesMs;
}

t.setTimeout(175_000);

t.test('a leap year of midnights: no correct request is refused, none outside its time is accepted', async (t) => {
  const clock = new LeapingClock(FIRST_DAY - 14 * 60 * MINUTE);
  const secrets = new Map(CLIENTS.map(({ accessKeyId, secret }) => [accessKeyId, secret]));
  const clockOf = (offMs: number): SkewedClock => new SkewedClock(clock, offMs);
  const { edges, takeQuestions } = tiersOfAYear(t, clock, { secrets, clockOf, offs: OFFS });

  const sign = (by: number, livesMs?: number): Signature => {
    const { accessKeyId, secret, offMs } = CLIENTS[by] ?? { accessKeyId: '', secret: '', offMs: 0 };
    const signedAt = Math.floor((clock.now() + offMs) / 1000) * 1000;
    const draft = { accessKeyId, secret, now: signedAt, region: REGION, target: '/bucket/key' };
    if (livesMs === undefined) return { message: signed(draft), signedAt, by };
    return { message: presigned({ ...draft, expiresSeconds: livesMs / 1000 }), signedAt, livesMs, by };
  };
  const correct = new Set(
    CLIENTS.filter(({ offMs }) => Math.abs(offMs) < SKEW_MS).map(({ accessKeyId }) => accessKeyId),
  );
  const wrong: string[] = [];
  const fates = { accepted: 0, refused: 0 };
  const present = async (signatures: readonly Signature[]): Promise<void> => {
    for (const { offMs, verdictOn } of edges) {
      const edgeNow = clock.now() + offMs;
      const verdicts = await Promise.all(signatures.map(({ message }) => verdictOn(message)));
      for (const [index, verdict] of verdicts.entries()) {
        const signature = signatures[index];
        if (!signature) continue;
        const expected = shouldBeAccepted(signature, edgeNow);
        fates[expected ? 'accepted' : 'refused'] += 1;
        if ((verdict === 'accepted') === expected) continue;
        const when = new Date(clock.now()).toISOString();
        wrong.push(`${when}, edge off by ${offMs / MINUTE} min, client ${signature.by}: ${verdict}`);
      }
    }
  };
  const everyClient = (livesMs?: number): readonly Signature[] => CLIENTS.map((_client, by) => sign(by, livesMs));

  // The first day has no day before it on which anything could have been fetched.
  await clock.leapTo(FIRST_DAY - 13 * 60 * MINUTE);
  await present(everyClient());
  let urls: readonly Signature[] = [];
  const atMidnight: string[] = [];
  for (let day = 0; day < DAYS; day += 1) {
    const midnight = FIRST_DAY + day * DAY_MS;
    // The afternoon and evening before: each tier's prefetch has its hours.
    for (const hours of [-11, -9, -7, -5, -3]) await clock.leapTo(midnight + hours * 60 * MINUTE);
    urls = [
      ...urls.filter(({ signedAt }) => signedAt > midnight - 9 * DAY_MS),
      ...everyClient(7 * DAY_MS),
      sign(day % 5, DAY_MS),
    ];
    await present(everyClient());
    takeQuestions();

    let inFlight: readonly Signature[] = [];
    for (const minutes of [-20, -10, 0, 1, 20]) {
      await clock.leapTo(midnight + minutes * MINUTE - (minutes === 0 ? 1_000 : 0));
      const fresh = everyClient();
      // What was signed before midnight arrives after it.
      await present([...inFlight, ...fresh]);
      inFlight = [...inFlight, ...fresh];
    }
    for (const { hop, at, accessKeyIds } of takeQuestions()) {
      // A client with a wrong clock may be heard for the first time now.
      if (!accessKeyIds.some((id) => correct.has(id))) continue;
      atMidnight.push(`${new Date(at).toISOString()} ${hop}: ${accessKeyIds.join()}`);
    }
    await present(urls);
    await clock.leapTo(midnight + 6 * 60 * MINUTE);
    await present(everyClient());
  }
  t.same(wrong, [], 'each verdict is the one of the rule');
  t.same(atMidnight, [], 'nothing is fetched from twenty minutes before midnight until twenty after it');
  t.ok(fates.accepted > 100_000, `${fates.accepted} accepted`);
  t.ok(fates.refused > 50_000, `${fates.refused} refused`);
});
