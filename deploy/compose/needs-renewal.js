// Exits 0 when less than a third of a certificate's life is left: node needs-renewal.js tls.crt
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

const { validFrom, validTo } = new X509Certificate(readFileSync(process.argv[2]));
const life = Date.parse(validTo) - Date.parse(validFrom);
process.exit(Date.parse(validTo) - Date.now() < life / 3 ? 0 : 1);
