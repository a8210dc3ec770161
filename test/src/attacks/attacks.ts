import type { AnyRefusalReason } from '@sigv4-keyd/sigv4-answers';
import type { Test } from 'tap';
import type { Message, Reply } from '../edge-verifier/client.js';
import type { Front, Fronts } from './fronts.js';
import { VEHICLES, type Order, type Vehicle } from './vehicle.js';

/** A hostile request, and the honest one that it was made of. */
export interface Attack {
  /** What it tries. */
  readonly name: string;
  /** What the honest request says; without the attack it is served. */
  readonly honest?: Order;
  /** The ways to sign that it makes sense for; all by default. */
  readonly signed?: (vehicle: Vehicle) => boolean;
  /** The fronts that it makes sense for; all by default. */
  readonly at?: (front: Front) => boolean;
  /** Any of these is a right refusal. */
  readonly reasons: readonly AnyRefusalReason[];
  readonly make: (honest: Message, vehicle: Vehicle) => Message | Promise<Message>;
  /** Set by `inTurns`. */
  readonly variation?: number;
}

/** One way in for one attack. */
interface Try {
  readonly front: Front;
  readonly vehicle: Vehicle;
}

/** Attacks that differ in one value. */
export function each<T>(values: readonly T[], attack: (value: T) => Attack): readonly Attack[] {
  return inTurns(values.map(attack));
}

/**
 * Attacks of one kind. The first one meets every front with every way to sign; each of the others meets every front and
 * every way to sign, but not each with each, in another order every time.
 */
export function inTurns(attacks: readonly Attack[]): readonly Attack[] {
  return attacks.map((attack, variation) => ({ ...attack, variation }));
}

/** Runs each attack, and its honest twin, through the fronts, mechanisms, algorithms and payload modes it is for. */
export async function runAttacks(
  t: Test,
  fronts: Pick<Fronts, 'all' | 'output'>,
  attacks: readonly Attack[],
): Promise<void> {
  const twins = new HonestTwins(fronts);
  for (const attack of attacks) {
    const tries = triesOf(attack, fronts.all);
    const hostile = new Map<Vehicle, Message>();
    for (const vehicle of new Set(tries.map((one) => one.vehicle))) {
      const message = await attack.make(await twins.signed(vehicle, attack.honest), vehicle);
      fronts.output.expectSignatureFor(message);
      hostile.set(vehicle, message);
    }
    const wrong = await twins.served(tries, attack.honest);
    const before = fronts.all.map(({ behind }) => behind());
    const outcomes = await Promise.all(
      tries.map(async ({ front, vehicle }) => {
        const message = hostile.get(vehicle);
        const what = message && problemWith(await front.send(message), attack.reasons);
        return what === undefined ? [] : [`${front.name}, ${vehicle.name}: ${what}`];
      }),
    );
    wrong.push(...outcomes.flat());
    for (const [index, { name, behind }] of fronts.all.entries()) {
      if (behind() !== before[index]) wrong.push(`${name}: something of it got behind the front`);
    }
    t.strictSame(wrong, [], `${attack.name} (${tries.length} times)`);
    if (tries.length === 0) t.fail('it was never tried');
  }
}

/** No key, no rung and no signature in all that was said, and every front still at work. */
export async function checkAftermath(t: Test, fronts: Fronts): Promise<void> {
  const { lines, signatures } = fronts.output.size;
  t.ok(lines > 100 && signatures > 0, `${lines} lines to search for ${signatures} signatures and every rung`);
  t.strictSame(fronts.output.leaks(), [], 'nothing secret came out');
  const tries = fronts.all.flatMap((front) => VEHICLES.slice(0, 1).map((vehicle) => ({ front, vehicle })));
  t.strictSame(await new HonestTwins(fronts).served(tries, undefined), [], 'every front still serves');
}

function triesOf(
  { signed = () => true, at = () => true, variation = 0 }: Attack,
  all: readonly Front[],
): readonly Try[] {
  const vehicles = VEHICLES.filter(signed);
  const fronts = all.filter(at);
  if (variation === 0) return vehicles.flatMap((vehicle) => fronts.map((front) => ({ front, vehicle })));
  const longer = Math.max(vehicles.length, fronts.length);
  return Array.from({ length: longer }, (_, index) => {
    const front = fronts[(index + variation) % fronts.length];
    const vehicle = vehicles[index % vehicles.length];
    return front && vehicle ? [{ front, vehicle }] : [];
  }).flat();
}

/** The requests without the attack. Each is signed once, and sent once to a front. */
class HonestTwins {
  readonly #fronts: Pick<Fronts, 'output'>;
  readonly #signed = new Map<Order | undefined, Map<Vehicle, Promise<Message>>>();
  readonly #served = new Set<string>();

  constructor(fronts: Pick<Fronts, 'output'>) {
    this.#fronts = fronts;
  }

  async signed(vehicle: Vehicle, order: Order | undefined): Promise<Message> {
    const ofOrder = this.#signed.get(order) ?? new Map<Vehicle, Promise<Message>>();
    this.#signed.set(order, ofOrder);
    const message = ofOrder.get(vehicle) ?? vehicle.sign(order);
    if (!ofOrder.has(vehicle)) this.#fronts.output.expectSignaturesOf(await message);
    ofOrder.set(vehicle, message);
    return message;
  }

  /** What speaks against it that they are served; nothing, where all is well. */
  async served(tries: readonly Try[], order: Order | undefined): Promise<string[]> {
    const wrong: string[] = [];
    for (const { front, vehicle } of tries) {
      const where = `${front.name}, ${vehicle.name}`;
      const once = `${where}: ${JSON.stringify(order)}`;
      if (this.#served.has(once)) continue;
      this.#served.add(once);
      const before = front.behind();
      const reply = await front.send(await this.signed(vehicle, order));
      if (reply.status >= 300) wrong.push(`${where}: the honest twin was refused: ${told(reply)}`);
      else if (front.behind() === before) wrong.push(`${where}: the honest twin did not get behind the front`);
    }
    return wrong;
  }
}

function problemWith(reply: Reply, reasons: readonly AnyRefusalReason[]): string | undefined {
  if (reply.status < 400) return 'was served';
  const reason = reply.headers['x-keyd-reason'];
  return reasons.some((one) => one === reason) ? undefined : `was refused otherwise: ${told(reply)}`;
}

function told({ status, headers, body }: Reply): string {
  return `${status} ${String(headers['x-keyd-reason'])} ${body.slice(0, 300)}`;
}
