import type { BenchOptions, BenchPart } from '../bench-part.js';
import type { Cell, Measured } from '../measured.js';
import { AttackedEdge, type Attacked } from './attacked-edge.js';
import { ATTACKS, type Attack, type HonestAnswer } from './messages.js';

const MILLISECONDS = {
  whole: { before: 2_000, milliseconds: 6_000 },
  quick: { before: 200, milliseconds: 500 },
  tiny: { before: 0, milliseconds: 1 },
} as const;
/** Of the one client that attacks. Slow ones cost it nothing, so it has more. */
const CONNECTIONS: Readonly<Record<Attack, number>> = {
  'bad signatures': 64,
  'unknown access keys': 64,
  'giant headers': 64,
  'too large headers': 64,
  'slow heads': 2_000,
  'slow bodies': 2_000,
};
const TINY_CONNECTIONS = 2;

export const part: BenchPart = {
  about: 'honest requests at an edge while one client floods it in six ways, each beside a quiet run',
  goals: [],
  run: benchAttack,
};

interface Beside {
  readonly attack: Attack;
  readonly connections: number;
  readonly quiet: HonestAnswer;
  readonly attacked: Attacked;
}

async function benchAttack({ scale, portBase }: BenchOptions): Promise<Measured> {
  const edge = await AttackedEdge.start(portBase);
  try {
    const times = MILLISECONDS[scale];
    const done: Beside[] = [];
    for (const attack of ATTACKS) {
      const connections = scale === 'tiny' ? TINY_CONNECTIONS : CONNECTIONS[attack];
      // The first ones fetch the key and warm up the code; later ones let the end of the last attack pass.
      await edge.honest(Math.max(times.before, 1));
      const quiet = await edge.honest(times.milliseconds);
      done.push({ attack, connections, quiet, attacked: await edge.attacked(attack, { connections, ...times }) });
    }
    return told(done, edge.isPinned);
  } finally {
    await edge.close();
  }
}

function told(done: readonly Beside[], isPinned: boolean): Measured {
  const rows = done.map(({ attack, connections, quiet, attacked }): Cell[] => {
    const { honest, edgeShare, addedBytes } = attacked;
    const latencies = [quiet.p50, quiet.p99, honest.p50, honest.p99];
    return [attack, connections, ...latencies, honest.failed, edgeShare * 100, addedBytes / 1024 ** 2];
  });
  const got = done.map(({ attack, attacked: { gotASecond } }) => {
    const reasons = Object.entries(gotASecond.answers).map(([reason, count]) => `${count.toFixed(0)} ${reason}`);
    const what = reasons.join(', ') || 'no answers';
    return `${attack}: the attacker got ${what} a second; ${gotASecond.closed.toFixed(1)} of its connections were ended.`;
  });
  const table = {
    title: 'Under attack: honest requests at a proxying edge, one after another, ms',
    head: [
      'one client sends',
      'connections',
      ...['quiet: p50', 'p99', 'attacked: p50', 'p99'],
      'of them failed',
      'edge, % of a core',
      'memory added, MiB',
    ],
    rows,
    notes: [
      ...got,
      isPinned
        ? 'The edge has one core for itself; honest client, attacker, region and upstream share the others.'
        : 'NOT PINNED: everybody shares all cores.',
    ],
  };
  return {
    tables: [table],
    figures: {},
    plots: [
      {
        kind: 'bars',
        name: 'under-attack',
        title: 'Honest requests while one client attacks: 99 of 100 are answered within',
        unit: 'ms',
        groups: done.map(({ attack, quiet, attacked }) => ({
          name: attack,
          bars: [
            { name: 'quiet', value: quiet.p99 },
            { name: 'attacked', value: attacked.honest.p99 },
          ],
        })),
      },
    ],
  };
}
