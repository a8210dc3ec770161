import t from 'tap';
import { tinyReport } from './running-bench.js';

/** Runs a part, with the services that it starts, and looks whether it tells all that it promises. */
export function toldWhole(name: string): void {
  t.test(`${name}: every step runs, and is told of`, async (t) => {
    const { parts } = await tinyReport(name);
    const [part] = parts;
    t.equal(parts.length, 1);
    t.equal(part?.failed, undefined);
    t.ok(part?.tables.every(({ rows, head }) => rows.length > 0 && rows.every((row) => row.length === head.length)));
  });
}
