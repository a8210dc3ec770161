import type { Readings } from '@sigv4-keyd/service-skeleton';

/** What a keeper tells of itself at a scrape. */
export type CustodyReadings = Pick<
  Readings<'master-keyd'>,
  'keyd_custody_recoverable' | 'keyd_custody_sessions' | 'keyd_custody_signer_calls_total'
>;

/** What is another keeper's. */
export const NOT_OF_THIS_KEEPER: CustodyReadings = {
  keyd_custody_recoverable: [],
  keyd_custody_sessions: [],
  keyd_custody_signer_calls_total: 0,
};
