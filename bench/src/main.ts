import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { curve } from './curve.js';
import { machine } from './machine.js';
import { benchRevocation } from './revocation.js';
import { benchVerification } from './verification.js';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    edges: { type: 'string' },
    'port-base': { type: 'string', default: '23400' },
    svg: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  process.stdout.write(
    'pnpm bench [--quick] [--edges 100,1000] [--svg FILE] [--port-base 23400]\n\n' +
      'Measures verification beside its peers, and revocation from the operator to the last simulated edge.\n',
  );
} else {
  const counts = values.edges?.split(',').map(Number) ?? (values.quick ? [100] : [10, 100, 1000]);
  process.stdout.write(`${machine()}\n`);
  await benchVerification(values.quick ? 1_000 : 5_000);
  const points = await benchRevocation(counts, Number(values['port-base']));
  if (values.svg !== undefined) {
    writeFileSync(values.svg, curve(points, 'From `keydctl revoke` returning to refusal at the edges'));
    process.stdout.write(`\nThe curve is in ${values.svg}\n`);
  }
}
