import { readFile, writeFile } from 'node:fs/promises';
import { spiffeIdOf } from '@sigv4-keyd/hop-protocol';
import { openAuthority, signRequest } from '@sigv4-keyd/pki';
import { z } from 'zod';
import { days } from '../../arguments/days.js';
import { identityFrom } from '../../arguments/identity.js';
import { defineCommand } from '../../command-line/define-command.js';
import { option } from '../../command-line/option.js';
import { facts } from '../../presentation/table.js';
import { authorityOption } from './authority-option.js';

export const sign = defineCommand({
  name: 'sign',
  summary: 'certify the key of a request that was made elsewhere',
  description:
    'Certifies the key of a request (PKCS #10) that was made elsewhere, by keydctl or any other tool, after checking ' +
    'that its sender holds the key. Whether the sender is who the request says is for you to know.',
  positionals: [['<request>', 'file with the request, PEM']],
  options: z.strictObject({
    ca: authorityOption,
    identity: option(z.string().optional(), {
      value: 'spiffe-id',
      about: 'whom it is for, when the request does not say',
    }),
    out: option(z.string().min(1, 'must name a file').optional(), {
      value: 'file',
      about: 'where to put the certificate; default: the request with .crt',
    }),
    days: option(days.default(90), { value: 'days', about: 'how long it is good for; default 90' }),
  }),
  examples: [
    'keydctl pki sign ./tls.csr',
    'keydctl pki sign ./legacy.csr --identity spiffe://keyd.example/edge/eu-west-1/s3/edge-7 --out ./edge-7.crt',
  ],
  async run({ options, positionals: [file = ''], surroundings }) {
    const authority = await openAuthority({ folder: options.ca });
    const given = options.identity === undefined ? undefined : identityFrom([options.identity], authority.trustDomain);
    const signed = signRequest({
      authority,
      csrPem: await readFile(file, 'latin1'),
      ...(given && { spiffeId: spiffeIdOf(given) }),
      days: options.days,
      now: surroundings.now(),
    });
    // A request may ask for any SPIFFE id; what no tier would serve is not handed out.
    const spiffeId = spiffeIdOf(identityFrom([signed.spiffeId], authority.trustDomain));
    const cert = options.out ?? `${file.replace(/\.(?:csr|req|pem)$/, '')}.crt`;
    await writeFile(cert, signed.certPem, { mode: 0o644, flag: 'wx' });
    return {
      document: { spiffeId, dnsNames: signed.dnsNames, ipAddresses: signed.ipAddresses, cert },
      text: (paint) =>
        facts(paint, [
          ['identity', paint.bold(spiffeId)],
          ['host names', [...signed.dnsNames, ...signed.ipAddresses].join(', ') || 'none'],
          ['certificate', cert],
          ['next', 'send it back with ca.crt; there: keydctl pki install FOLDER --cert FILE --trust FILE'],
        ]),
    };
  },
});
