import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openToken, TokenFailure } from '@sigv4-keyd/pkcs11-custody';
import type { Test } from 'tap';
import { keydctlJson } from '../keydctl/keydctl-under-test.js';
import { newStateFolder } from './state-folder.js';

const MODULES = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
  '/opt/homebrew/lib/softhsm/libsofthsm2.so',
];

const PIN = '4711-pin';

/** False where SoftHSM can be used; otherwise why the test is skipped, in capitals. */
export async function softHsmMissing(): Promise<string | false> {
  const module = MODULES.find((path) => existsSync(path));
  // Debian has the module and the program that makes tokens in packages of their own.
  const canMakeTokens = spawnSync('softhsm2-util', ['--version']).status === 0;
  if (module === undefined || !canMakeTokens) return 'SOFTHSM IS NOT INSTALLED HERE: keys in a token were not tested';
  try {
    await openToken({ module, token: 'there is none' }, { pin: PIN });
    return 'a token without a name';
  } catch (error) {
    if (!(error instanceof TokenFailure)) throw error;
    if (error.reason === 'library-missing') return 'PKCS11JS COULD NOT BE BUILT HERE: keys in a token were not tested';
    return false;
  }
}

/** A token of SoftHSM in a folder of its own. One a test file: the module looks for it by the process's environment. */
export class SoftHsm {
  readonly module: string;
  readonly token: string;
  readonly pin = PIN;
  readonly folder: string;

  private constructor(module: string, folder: string, token = 'keyd') {
    this.module = module;
    this.token = token;
    this.folder = folder;
  }

  static create(t: Test): SoftHsm {
    const module = MODULES.find((path) => existsSync(path));
    if (module === undefined) throw new Error('ask softHsmMissing first');
    const folder = newStateFolder(t);
    mkdirSync(join(folder, 'tokens'));
    const lines = [`directories.tokendir = ${join(folder, 'tokens')}`, 'log.level = ERROR', 'slots.removable = true'];
    writeFileSync(join(folder, 'softhsm2.conf'), `${lines.join('\n')}\n`);
    process.env['SOFTHSM2_CONF'] = join(folder, 'softhsm2.conf');
    const hsm = new SoftHsm(module, folder);
    hsm.initToken(hsm.token);
    writeFileSync(hsm.pinFile, `${PIN}\n`, { mode: 0o600 });
    return hsm;
  }

  /** Another token of the same folder, with the same PIN. */
  tokenOf(label: string): SoftHsm {
    return new SoftHsm(this.module, this.folder, label);
  }

  get pinFile(): string {
    return join(this.folder, 'pin');
  }

  initToken(label: string, pin = PIN): void {
    const args = ['--init-token', '--free', '--label', label, '--pin', pin, '--so-pin', '4711-so-pin'];
    execFileSync('softhsm2-util', args, { stdio: 'ignore' });
  }

  /** Puts a pair of keys in; the answer is their id. */
  async makeKeys(key: string, ...more: readonly string[]): Promise<string> {
    const args = ['--module', this.module, '--token', this.token, '--pin-file', this.pinFile, '--key', key, ...more];
    return String((await keydctlJson(['custody', 'pkcs11', 'init', ...args]))['custodyKey']);
  }

  /** The settings of a master over it. */
  settings(key: string): Readonly<Record<string, string>> {
    return {
      KEYD_CUSTODY: 'pkcs11',
      KEYD_PKCS11_MODULE: this.module,
      KEYD_PKCS11_TOKEN: this.token,
      KEYD_PKCS11_PIN_FILE: this.pinFile,
      KEYD_PKCS11_KEY: key,
    };
  }

  takeAway(): void {
    renameSync(join(this.folder, 'tokens'), join(this.folder, 'away'));
    mkdirSync(join(this.folder, 'tokens'));
  }

  putBack(): void {
    rmSync(join(this.folder, 'tokens'), { recursive: true });
    renameSync(join(this.folder, 'away'), join(this.folder, 'tokens'));
  }
}
