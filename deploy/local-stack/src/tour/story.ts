import type { MasterClient } from '@sigv4-keyd/keydctl';
import type { CreatedAccessKey, RevocationAnswer } from '@sigv4-keyd/hop-protocol';
import { lift } from './lift.js';
import { oneAccessKey } from './one-access-key.js';
import type { Stage } from './stage.js';
import type { Telling } from './telling.js';

export interface StoryOptions {
  readonly stage: Stage;
  readonly master: MasterClient;
  readonly telling: Telling;
  readonly operator: string;
  /** File of the root key. */
  readonly rootKey: string;
  readonly now: () => number;
}

const HIT = 'us-east-1';
const SAFE = 'eu-west-1';
/** Days ago: when the break-in began, and a day before it. */
const BREACH = 3;
const BEFORE = 5;
const REVOKED = 'scope-revoked';
/** News travel in a fraction of a second; what the tour waits at most, so that a busy machine fails no story. */
const PATIENCE_MS = 15_000;
/** Tiers remember for a minute that there was no key for somebody. */
const LIFT_PATIENCE_MS = 120_000;

interface Cast {
  readonly shop: CreatedAccessKey;
  readonly backups: CreatedAccessKey;
}

/** Plays the story. Whatever happens on the way, the stack is left as it was found. */
export async function tellStory(options: StoryOptions): Promise<void> {
  const { master } = options;
  const made: CreatedAccessKey[] = [];
  const create = async (owner: string): Promise<CreatedAccessKey> => {
    const accessKey = await master.create({ owner: `tour: ${owner}` });
    made.push(accessKey);
    return accessKey;
  };
  let revocation: RevocationAnswer | undefined;
  try {
    const cast = { shop: await create('shop'), backups: await create('backups') };
    const urls = await quietDays(options, cast);
    revocation = await dryRunAndRevocation(options);
    await refusedInTheRegion(options, cast, urls);
    await goodElsewhere(options, cast, urls);
    await backInService(options, await create('shop, anew'));
    await oneAccessKey(cast.backups, { ...options, region: SAFE, patienceMs: PATIENCE_MS });
    await report(options, revocation);
  } finally {
    if (revocation) await lifting(options, revocation, made);
    if (made.length > 0)
      await master.change(
        made.map(({ accessKeyId }) => accessKeyId),
        { kind: 'delete' },
      );
  }
}

type Urls = readonly { readonly region: string; readonly days: number; readonly ask: () => Promise<string> }[];

async function quietDays({ stage, telling }: StoryOptions, { shop, backups }: Cast): Promise<Urls> {
  telling.chapter('Quiet days');
  telling.say(
    'Two clients, a shop and its backups, sign for two regions. The shop also handed out URLs on earlier days: they',
    'live for a week, and are the one way in which a signature of an earlier day may come today.',
  );
  for (const region of [HIT, SAFE]) {
    telling.check(`the shop, now, in ${region}`, 'verified', await stage.fresh(region, shop)());
    telling.check(`the backups, now, in ${region}`, 'verified', await stage.fresh(region, backups)());
  }
  const urls = [HIT, SAFE].flatMap((region) =>
    [BEFORE, BREACH, 1].map((days) => ({ region, days, ask: stage.url(region, shop, days) })),
  );
  for (const { region, days, ask } of urls) {
    telling.check(`a URL of the shop signed on ${stage.daysAgo(days)} for ${region}`, 'verified', await ask());
  }
  return urls;
}

async function dryRunAndRevocation({ stage, telling, master }: StoryOptions): Promise<RevocationAnswer> {
  telling.chapter('A break-in is found');
  telling.say(
    `Today a break-in is found in ${HIT}; the logs show that it began on ${stage.daysAgo(BREACH)}. Who was there has`,
    'the keys of that region and of those days, and of nothing else. What would a revocation hit?',
    '',
    `keydctl revoke --region ${HIT} --from ${stage.daysAgo(BREACH)} --issued-before now --incident TOUR --dry-run`,
  );
  const wanted = {
    region: HIT,
    from: stage.scopeDateAgo(BREACH),
    incident: 'TOUR',
    reason: 'npm run tour: the break-in of the story',
  };
  // Twice: access keys are dated by the clock of the master, and so is the instant from which new ones are spared.
  const { statement } = await master.revoke({ ...wanted, dryRun: true });
  const request = { ...wanted, issuedBefore: statement.at };
  const { scope, blastRadius } = await master.revoke({ ...request, dryRun: true });
  telling.say(
    '',
    `It would hit: ${scope}.`,
    `Keys of ${blastRadius.accessKeyCount} access keys were issued in it, to:`,
    ...blastRadius.identities.map(({ spiffeId }) => `  ${spiffeId}`),
    'What it would leave good, and the ways back:',
    ...blastRadius.remainsGood.map((sentence) => `  ${sentence}`),
  );
  const isNamed = blastRadius.identities.some(({ spiffeId }) => spiffeId.includes(`/${HIT}/`));
  telling.check(`the dry run names who in ${HIT} was given keys`, 'yes', isNamed ? 'yes' : 'no');

  telling.chapter('The revocation');
  telling.say('The same without --dry-run. The statement is signed, and every edge hears of it.');
  const revocation = await master.revoke(request);
  telling.check('the statement is published', 'yes', revocation.published ? 'yes' : 'no');
  return revocation;
}

async function refusedInTheRegion({ stage, telling }: StoryOptions, cast: Cast, urls: Urls): Promise<void> {
  telling.chapter(`Refused: ${HIT}, from ${stage.daysAgo(BREACH)} on`);
  const [verdict, ms] = await stage.until(REVOKED, stage.fresh(HIT, cast.shop), PATIENCE_MS);
  telling.check(`the shop, now, in ${HIT}`, REVOKED, verdict);
  telling.say(`That took ${(ms / 1000).toFixed(2)} s from the answer to keydctl on.`);
  telling.check(`the backups, now, in ${HIT}`, REVOKED, await stage.fresh(HIT, cast.backups)());
  for (const { days, ask } of urls.filter(({ region, days }) => region === HIT && days <= BREACH)) {
    telling.check(`a URL of the shop signed on ${stage.daysAgo(days)} for ${HIT}`, REVOKED, await ask());
  }
}

async function goodElsewhere({ stage, telling }: StoryOptions, cast: Cast, urls: Urls): Promise<void> {
  telling.chapter('Still good: everything else');
  telling.say('The same access keys; not one of their secrets has to be changed for it.');
  telling.check(`the shop, now, in ${SAFE}`, 'verified', await stage.fresh(SAFE, cast.shop)());
  telling.check(`the backups, now, in ${SAFE}`, 'verified', await stage.fresh(SAFE, cast.backups)());
  for (const { region, days, ask } of urls.filter(({ region, days }) => region === SAFE || days > BREACH)) {
    telling.check(`a URL of the shop signed on ${stage.daysAgo(days)} for ${region}`, 'verified', await ask());
  }
}

async function backInService({ stage, telling }: StoryOptions, anew: CreatedAccessKey): Promise<void> {
  telling.chapter('Back in service on the same day');
  telling.say(
    `SigV4 has one key a day: in ${HIT} honest clients are refused until tomorrow, too, or until they have new access`,
    'keys. The revocation spares those created after it (--issued-before).',
  );
  telling.check(`the shop with a new access key, now, in ${HIT}`, 'verified', await stage.fresh(HIT, anew)());
}

async function report({ stage, telling, master }: StoryOptions, { statement }: RevocationAnswer): Promise<void> {
  telling.chapter('The report');
  telling.say(`keydctl incident report --region ${HIT} --from ${stage.daysAgo(BREACH)}`, '');
  const found = await master.incidentReport({ region: HIT, from: statement.from, to: statement.to });
  telling.say(
    `Issued in the scope: keys of ${found.blastRadius.accessKeyCount} access keys.`,
    `Accepted in it, as far as edges have reported by now: ${found.accepted.count} signatures.`,
    `Accepted outside it, and good: ${found.outside.count} signatures.`,
  );
  const listed = found.revocations.find(({ id }) => id === statement.id);
  telling.check('the report has the revocation', 'in force', listed?.lifted === false ? 'in force' : 'not in force');
}

async function lifting(
  { stage, telling, master, operator, rootKey, now }: StoryOptions,
  { statement }: RevocationAnswer,
  made: readonly CreatedAccessKey[],
): Promise<void> {
  telling.chapter('Taken back, so that the stack stays usable');
  telling.say(
    'A lift takes the root key, which a real system keeps offline; here it lies beside the others:',
    'keydctl revocation lift request, sign and submit.',
  );
  const scope = await lift({ master, revocation: statement, operator, rootKey, now: now() });
  telling.say(`Lifted: ${scope}.`);
  const [shop] = made;
  if (shop === undefined) return;
  const [verdict, ms] = await stage.until('verified', stage.fresh(HIT, shop), LIFT_PATIENCE_MS);
  telling.check(`the shop with its first access key, now, in ${HIT}`, 'verified', verdict);
  telling.say(`That took ${(ms / 1000).toFixed(2)} s.`);
}
