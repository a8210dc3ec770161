import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { curve } from './curve.js';
import { benchCustodySigner } from './custody-signer.js';
import { machine } from './machine.js';
import { benchRestart } from './restart.js';
import { benchFlood } from './flood/bench-flood.js';
import { benchReturn } from './return-of-edges/bench-return.js';
import { benchRevocation } from './revocation.js';
import { benchRollover } from './rollover/rollover.js';
import { benchSessionTokens } from './session-tokens.js';
import { benchVerification } from './verification/bench-verification.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    edges: { type: 'string' },
    keys: { type: 'string' },
    json: { type: 'boolean', default: false },
    'port-base': { type: 'string', default: '23400' },
    svg: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const portBase = Number(values['port-base']);
const [part = 'all'] = positionals;

if (
  values.help ||
  !['all', 'verification', 'rollover', 'restart', 'return', 'flood', 'sessions', 'signer'].includes(part)
) {
  process.stdout.write(
    'pnpm bench [--quick] [--edges 100,1000] [--svg FILE] [--port-base 23400]\n\n' +
      'Measures verification beside its peers, and revocation from the operator to the last simulated edge;\n' +
      'then rollover and restart.\n\n' +
      'pnpm bench verification [--quick] [--json] [--svg FILE]\n\n' +
      'Measures a verification beside its peers and the floor, with the goals.\n\n' +
      'pnpm bench rollover [--keys 1000000] [--edges 2] [--quick] [--json] [--port-base 23400]\n\n' +
      'Measures how the keys of a day come down, from PostgreSQL to the last edge.\n\n' +
      'pnpm bench restart [--keys 1000000] [--quick] [--json]\n\n' +
      'Measures what keeping the keys of a day on disk costs, and finding them again.\n\n' +
      'pnpm bench return [--edges 10000] [--svg FILE] [--json]\n\n' +
      'Counts what all edges of a region ask for that come up empty in an outage, on a virtual clock.\n\n' +
      'pnpm bench flood [--quick] [--json] [--port-base 23400]\n\n' +
      'Measures honest requests at an edge without and with a client that makes up access keys at full speed.\n\n' +
      'pnpm bench sessions [--quick]\n\n' +
      'Measures what judging a session token costs, one that is known and made-up ones.\n\n' +
      'pnpm bench signer [--keys 50000] [--quick] [--port-base 23400]\n\n' +
      'Measures how many kDates an external signer gives a second.\n',
  );
  process.exitCode = values.help ? 0 : 2;
} else {
  if (!values.json) process.stdout.write(`${machine()}\n`);
  if (part === 'verification') {
    await benchVerification({ milliseconds: values.quick ? 250 : 2_500, svg: values.svg, asJson: values.json });
  } else if (part === 'return') {
    await benchReturn({ edges: Number(values.edges ?? 10_000), svg: values.svg, asJson: values.json });
  } else if (part === 'flood') {
    await benchFlood({ seconds: values.quick ? 3 : 15, portBase, asJson: values.json });
  } else if (part === 'sessions') {
    await benchSessionTokens(values.quick ? 2_048 : 20_480);
  } else if (part === 'signer') {
    await benchCustodySigner(Number(values.keys ?? (values.quick ? 5_000 : 50_000)), portBase);
  } else {
    await benchKeys();
  }
}

async function benchKeys(): Promise<void> {
  if (part === 'all') await benchBefore();
  const keys = Number(values.keys ?? (values.quick ? 20_000 : 1_000_000));
  const edges = part === 'all' ? 2 : Number(values.edges ?? 2);
  if (part !== 'restart') await benchRollover({ keys, edges, portBase, asJson: values.json });
  if (part !== 'rollover') await benchRestart({ keys, asJson: values.json });
}

async function benchBefore(): Promise<void> {
  const counts = values.edges?.split(',').map(Number) ?? (values.quick ? [100] : [10, 100, 1000]);
  await benchVerification({ milliseconds: values.quick ? 250 : 2_500 });
  const points = await benchRevocation(counts, portBase);
  if (values.svg !== undefined) {
    writeFileSync(values.svg, curve(points, 'From `keydctl revoke` returning to refusal at the edges'));
    process.stdout.write(`\nThe curve is in ${values.svg}\n`);
  }
}
