import { DEFAULT_HORIZONS } from '@sigv4-keyd/hop-protocol';
import { SHARED_LIFETIMES, type Relation, type ServiceSettings } from '@sigv4-keyd/service-skeleton';

type LifetimeSettings = ServiceSettings & { readonly beaconEvery: number; readonly beaconLife: number };

/** How the lifetimes of a master must stand to each other, and to what edges have by default. */
export const LIFETIMES: readonly Relation<LifetimeSettings>[] = [
  ...SHARED_LIFETIMES,
  {
    between: ['beaconLife', 'clockSkew'],
    problem: ({ beaconLife, clockSkew }) =>
      beaconLife > clockSkew
        ? undefined
        : `KEYD_BEACON_LIFE (${beaconLife}s) must be above KEYD_CLOCK_SKEW (${clockSkew}s): ` +
          `an edge whose clock is ahead by as much as is accepted would find every beacon expired and deny every request`,
  },
  {
    between: ['beaconLife'],
    isDoubtful: true,
    problem: ({ beaconLife }) =>
      beaconLife >= DEFAULT_HORIZONS.hardSeconds
        ? undefined
        : `KEYD_BEACON_LIFE is ${beaconLife}s, below the default hard horizon of edges (${DEFAULT_HORIZONS.hardSeconds}s): ` +
          `edges without news deny after the life of a beacon, whatever their horizon`,
  },
  {
    between: ['beaconEvery'],
    isDoubtful: true,
    problem: ({ beaconEvery }) =>
      2 * beaconEvery <= DEFAULT_HORIZONS.softSeconds
        ? undefined
        : `KEYD_BEACON_EVERY is ${beaconEvery}s, above half of the default soft horizon of edges ` +
          `(${DEFAULT_HORIZONS.softSeconds}s / 2): one late beacon raises their alarm`,
  },
];
