import t from 'tap';
import { tinyReport } from './running-bench.js';

// Those that start the fewest services; what the others measure with, their own tests start.
for (const name of ['signer', 'revocation', 'attack', 'cold-start']) {
  t.test(`${name}: every step runs, and is told of`, async (t) => {
    const { parts } = await tinyReport(name);
    const [part] = parts;
    t.equal(parts.length, 1);
    t.equal(part?.failed, undefined);
    t.ok(part?.tables.every(({ rows, head }) => rows.length > 0 && rows.every((row) => row.length === head.length)));
  });
}
