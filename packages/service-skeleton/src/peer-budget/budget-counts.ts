import { parseSpiffeId } from '@sigv4-keyd/fastify-mtls';
import { identityOf, type Role } from '@sigv4-keyd/hop-protocol';

/** What the peers of a role together have asked for, since the start. */
export interface BudgetCount {
  readonly role: Role;
  /** Access keys. */
  readonly keys: number;
  /** Requests that were refused. */
  readonly refused: number;
  /** Peers that are told to wait at present. */
  readonly exhausted: number;
}

/** Counts by role: there are few of them, whoever asks. */
export class BudgetCounts {
  readonly #roles = new Map<Role, { keys: number; refused: number }>();

  asked(spiffeId: string, keys: number): void {
    const count = this.#of(spiffeId);
    if (count) count.keys += keys;
  }

  refused(spiffeId: string): void {
    const count = this.#of(spiffeId);
    if (count) count.refused += 1;
  }

  /** `exhausted`: who is told to wait at present. */
  list(exhausted: readonly string[]): readonly BudgetCount[] {
    const waiting = exhausted.map(roleOf);
    return [...this.#roles].map(([role, count]) => ({
      role,
      ...count,
      exhausted: waiting.filter((one) => one === role).length,
    }));
  }

  #of(spiffeId: string): { keys: number; refused: number } | undefined {
    const role = roleOf(spiffeId);
    if (role === undefined) return undefined;
    const known = this.#roles.get(role);
    if (known) return known;
    const count = { keys: 0, refused: 0 };
    this.#roles.set(role, count);
    return count;
  }
}

function roleOf(spiffeId: string): Role | undefined {
  const id = parseSpiffeId(spiffeId);
  return id && identityOf(id)?.role;
}
