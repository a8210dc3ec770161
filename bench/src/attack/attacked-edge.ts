import { AskedProgram } from '../asked-program.js';
import { CLIENT } from '../edge-client.js';
import { EdgeStack } from '../edge-stack.js';
import { pin } from '../pinning.js';
import { costsOf } from '../process-costs.js';
import type { ProbedProcess } from '../rollover/probed-process.js';
import {
  attackAnswer,
  honestAnswer,
  type Attack,
  type AttackAnswer,
  type EdgeFacts,
  type HonestAnswer,
} from './messages.js';

/** The edge has one core for itself. */
const CORES = { edge: 0, clients: 1 } as const;

/** What an attack did. */
export interface Attacked {
  readonly honest: HonestAnswer;
  /** Answers a second to the attacker, by the edge's reasons, and connections of it that were ended. */
  readonly gotASecond: AttackAnswer;
  /** Of one core, at the edge. */
  readonly edgeShare: number;
  /** More than before, at the edge. */
  readonly addedBytes: number;
}

/** A proxying edge with a client that is honest. */
export class AttackedEdge {
  readonly isPinned: boolean;
  readonly #stack: EdgeStack;
  readonly #edge: ProbedProcess;
  readonly #facts: EdgeFacts;
  readonly #honest: AskedProgram<HonestAnswer>;

  private constructor(stack: EdgeStack, edge: ProbedProcess, port: number) {
    this.#stack = stack;
    this.#edge = edge;
    this.#facts = { port, ...CLIENT };
    this.isPinned = pin(edge.pid, CORES.edge);
    this.#honest = new AskedProgram(programOf('honest-client'), this.#facts, honestAnswer, CORES.clients);
  }

  static async start(portBase: number): Promise<AttackedEdge> {
    const stack = await EdgeStack.start(portBase);
    try {
      const { process, port } = await stack.edge('edge');
      await process.ready();
      return new AttackedEdge(stack, process, port);
    } catch (error) {
      await stack.close();
      throw error;
    }
  }

  honest(milliseconds: number): Promise<HonestAnswer> {
    return this.#honest.ask(milliseconds);
  }

  /** Honest requests while one client attacks. It has attacked for `before` milliseconds when they begin. */
  async attacked(
    attack: Attack,
    { connections, before, milliseconds }: Readonly<Record<'connections' | 'before' | 'milliseconds', number>>,
  ): Promise<Attacked> {
    const { pid } = this.#edge;
    const calm = costsOf(pid);
    const settings = { ...this.#facts, attack, connections };
    const attacker = new AskedProgram(programOf('attacker'), settings, attackAnswer, CORES.clients);
    try {
      // Answers once all of its connections are open.
      await attacker.ask('answers');
      if (before > 0) await this.honest(before);
      const got = await attacker.ask('answers');
      const begin = { costs: costsOf(pid), at: performance.now() };
      const honest = await this.honest(milliseconds);
      const end = costsOf(pid);
      const seconds = (performance.now() - begin.at) / 1000;
      return {
        honest,
        gotASecond: gainedASecond(got, await attacker.ask('answers'), seconds),
        edgeShare: (end.cpuSeconds - begin.costs.cpuSeconds) / seconds,
        addedBytes: Math.max(0, end.residentBytes - calm.residentBytes),
      };
    } finally {
      await attacker.stop();
    }
  }

  async close(): Promise<void> {
    await this.#honest.stop();
    await this.#stack.close();
  }
}

function gainedASecond(before: AttackAnswer, after: AttackAnswer, seconds: number): AttackAnswer {
  const answers = Object.entries(after.answers).map(([reason, count]) => {
    return [reason, (count - (before.answers[reason] ?? 0)) / seconds] as const;
  });
  return { answers: Object.fromEntries(answers), closed: (after.closed - before.closed) / seconds };
}

function programOf(name: string): URL {
  return new URL(`${name}.js`, import.meta.url);
}
