import type { CountedCall } from '@sigv4-keyd/hop-protocol';
import { z } from 'zod';
import { defineCommand } from '../../command-line/define-command.js';
import { listOf, option } from '../../command-line/option.js';
import { compareCounts } from '../../custody/compare-counts.js';
import { downloadCountedCalls } from '../../custody/counted-calls.js';
import { connectionOptions, httpsOrigin, tlsFilesOf } from '../../master/connection-options.js';
import { withMaster } from '../../master/with-master.js';
import { withPeer } from '../../master/with-peer.js';
import { countsText } from '../../presentation/custody-counts.js';

/** One page of a day's stream: what a master that is stopped leaves behind. */
const DEFAULT_UNISSUED = 5_000;

export const counts = defineCommand({
  name: 'counts',
  summary: 'compare what external signers gave with what masters asked for and issued',
  description:
    'Each call of a signer has an id that its master recorded before it asked. A call without one was made by ' +
    'somebody else who has the certificate of a master. Of what is the own, the kDates that were given are compared ' +
    'with the access keys that were issued, by date. The exit code is 1 when somebody else called, or when more was ' +
    'given and not issued than a stop in between explains.',
  options: z.strictObject({
    signers: option(listOf(z.string()).pipe(z.array(httpsOrigin).min(1)), {
      value: 'urls',
      about: 'addresses of all signers, https://HOST:PORT',
      isList: true,
      env: 'KEYD_SIGNERS',
    }),
    unissued: option(
      z
        .string()
        .regex(/^\d{1,9}$/, 'must be a whole number')
        .transform(Number)
        .default(DEFAULT_UNISSUED),
      { value: 'n', about: `kDates of a date that may be given and not issued; default ${DEFAULT_UNISSUED}` },
    ),
    ...connectionOptions,
  }),
  examples: [
    'keydctl custody counts --signers https://signer-1:8443',
    'keydctl custody counts --signers https://signer-1:8443,https://signer-2:8443 --json',
  ],
  async run({ options, surroundings }) {
    const files = tlsFilesOf(options);
    const now = surroundings.now();
    const counted: CountedCall[] = [];
    for (const url of options.signers) {
      for (const call of await withPeer('signer', { url, files }, now, downloadCountedCalls)) counted.push(call);
    }
    const compared = await withMaster({ url: options.master, files }, now, async (master) => {
      const asked = [];
      for await (const call of master.askedCalls()) asked.push(call);
      return compareCounts({ counted, asked, issued: await master.issuedCounts() });
    });
    const { strange, dates } = compared;
    return {
      document: compared,
      text: (paint) => countsText(paint, compared, options.unissued),
      isUnfinished: strange.length > 0 || dates.some(({ given, issued }) => given - issued > options.unissued),
    };
  },
});
