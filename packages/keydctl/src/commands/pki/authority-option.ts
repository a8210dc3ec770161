import { join } from 'node:path';
import { z } from 'zod';
import { option } from '../../command-line/option.js';

export const folderName = z.string().min(1, 'must name a folder');

/** Where certificates are kept unless another folder is named. */
export const PKI_FOLDER = 'pki';

const CA_FOLDER = join(PKI_FOLDER, 'ca');

/** The folder of the certificate authority (ca.crt, ca.key). */
export const authorityOption = option(folderName.default(CA_FOLDER), {
  value: 'folder',
  about: `folder of the certificate authority; default ${CA_FOLDER}`,
  env: 'KEYD_PKI_CA',
});
