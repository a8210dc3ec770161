import type { RevocationAnswer } from '@sigv4-keyd/hop-protocol';
import { pathOf } from './words.js';

/** What a dry run hits in one cell: who was given keys of that region and day. */
export interface Hit {
  readonly regions: number;
  readonly edges: number;
  /** Hold kDate, which is good in every region. */
  readonly deputies: number;
}

/** By `REGION/DATE`; undefined: the statement does not hit the cell. */
export type Hits = (region: string, date: string) => Hit | undefined;

const NO_HITS: Hits = () => undefined;

export function hitsOf(answer: RevocationAnswer | undefined): Hits {
  if (answer === undefined) return NO_HITS;
  const { statement, blastRadius } = answer;
  const holders = blastRadius.identities.map(({ spiffeId, dates }) => {
    const [, role = '', region = ''] = pathOf(spiffeId).split('/');
    return { role, region, dates: new Set<string>(dates) };
  });
  return (region, date) => {
    if (statement.region !== undefined && statement.region !== region) return undefined;
    if (date < statement.from || statement.to < date) return undefined;
    const given = holders.filter(
      (holder) => (holder.role === 'deputy' || holder.region === region) && holder.dates.has(date),
    );
    const ofRole = (role: string): number => given.filter((holder) => holder.role === role).length;
    return { regions: ofRole('region'), edges: ofRole('edge'), deputies: ofRole('deputy') };
  };
}
