import type { Cryptoki } from './cryptoki.js';
import { CK } from './constants.js';
import { returnValueOf, saidBy, TokenFailure } from './token-failure.js';

/** Where the keys are. */
export interface TokenAddress {
  /** Path of the PKCS#11 module: the library of whoever made the token. */
  readonly module: string;
  /** The token's label; the numbers of slots change. */
  readonly token: string;
}

/** A session with a token, logged in. */
export interface Token {
  readonly cryptoki: Cryptoki;
  readonly session: Buffer;
}

const REFUSES_PIN: ReadonlySet<number | undefined> = new Set([
  CK.CKR_PIN_INCORRECT,
  CK.CKR_PIN_LEN_RANGE,
  CK.CKR_PIN_EXPIRED,
  CK.CKR_PIN_LOCKED,
  CK.CKR_USER_PIN_NOT_INITIALIZED,
]);
const MECHANISMS = ['CKM_AES_KEY_WRAP', 'CKM_SHA256_HMAC'] as const;

/**
 * One a process: a module has one state for all of a process, and its sessions are gone with it. `mayMakeKeys`: for the
 * ceremony; the service itself only reads.
 * @throws TokenFailure
 */
export async function openToken(
  { module, token }: TokenAddress,
  { pin, mayMakeKeys = false }: { readonly pin: string; readonly mayMakeKeys?: boolean },
): Promise<Token> {
  const cryptoki = await loadModule(module);
  try {
    const slot = slotOf(cryptoki, token);
    requireMechanisms(cryptoki, slot, token);
    const flags = CK.CKF_SERIAL_SESSION | (mayMakeKeys ? CK.CKF_RW_SESSION : 0);
    const session = orGone('a session cannot be opened', () => cryptoki.C_OpenSession(slot, flags));
    logIn({ cryptoki, session }, token, pin);
    return { cryptoki, session };
  } catch (error) {
    closeToken({ cryptoki });
    throw error;
  }
}

function logIn({ cryptoki, session }: Token, token: string, pin: string): void {
  try {
    cryptoki.C_Login(session, CK.CKU_USER, pin);
  } catch (error) {
    if (!REFUSES_PIN.has(returnValueOf(error))) throw new TokenFailure('gone', `no login: ${saidBy(error)}`, error);
    const problem = `token ${token} refuses the PIN (${saidBy(error)}): give the PIN of its user; it is not tried again`;
    throw new TokenFailure('pin-refused', problem, error);
  }
}

/** Ends the session, and all others that the process has with the module. */
export function closeToken({ cryptoki }: Pick<Token, 'cryptoki'>): void {
  try {
    cryptoki.C_Finalize();
  } catch (error) {
    // A token that is gone cannot be left either, and nothing is lost by it.
    if (returnValueOf(error) === undefined) throw error;
  }
}

async function loadModule(module: string): Promise<Cryptoki> {
  const PKCS11 = await loadLibrary();
  const cryptoki = new PKCS11();
  try {
    cryptoki.load(module);
  } catch (error) {
    const problem = `the PKCS#11 module ${module} cannot be loaded (${saidBy(error)}): install it, or give its path`;
    throw new TokenFailure('module-unusable', problem, error);
  }
  orGone('the PKCS#11 module does not start', () => cryptoki.C_Initialize());
  return cryptoki;
}

/** Only here, and only now: who keeps no keys in a token needs neither the library nor a compiler. */
async function loadLibrary(): Promise<new () => Cryptoki> {
  try {
    const { default: pkcs11js } = await import('pkcs11js');
    return pkcs11js.PKCS11;
  } catch (error) {
    if (isForbidden(error)) {
      throw new TokenFailure(
        'library-missing',
        'pkcs11js is native code, which may not be loaded here: start master-keyd with --confined, or with the ' +
          'options that --node-options prints for these settings (--allow-addons is among them)',
        error,
      );
    }
    throw new TokenFailure(
      'library-missing',
      'pkcs11js is not installed here: it is compiled at installation, which needs a C++ compiler, make and Python ' +
        '(Debian: g++ make python3); install them, then the project anew',
      error,
    );
  }
}

/** By the permission model of Node.js. */
function isForbidden(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_DLOPEN_DISABLED';
}

function slotOf(cryptoki: Cryptoki, label: string): Buffer {
  const slots = orGone('the slots cannot be listed', () => cryptoki.C_GetSlotList(true));
  const labels = slots.map((slot) => ({ slot, label: labelIn(cryptoki, slot) }));
  const [found, another] = labels.filter((each) => each.label === label);
  if (found && !another) return found.slot;
  const there = labels.flatMap((each) => (each.label === undefined || each.label === '' ? [] : [each.label]));
  const problem = another
    ? `two tokens have the label ${label}: give each token a label of its own`
    : `there is no token with the label ${label} (there are: ${there.join(', ') || 'none'}); ` +
      'connect it, or give the label of another one';
  throw new TokenFailure('token-absent', problem);
}

/** Undefined for a slot that does not answer: another one may have the token. */
function labelIn(cryptoki: Cryptoki, slot: Buffer): string | undefined {
  try {
    return cryptoki.C_GetTokenInfo(slot).label.trimEnd();
  } catch (error) {
    if (returnValueOf(error) === undefined) throw error;
    return undefined;
  }
}

function requireMechanisms(cryptoki: Cryptoki, slot: Buffer, token: string): void {
  const known = orGone('the mechanisms cannot be listed', () => cryptoki.C_GetMechanismList(slot));
  const missing = MECHANISMS.filter((name) => !known.includes(CK[name]));
  if (missing.length === 0) return;
  throw new TokenFailure('keys-unsuitable', `token ${token} has no ${missing.join(' and no ')}: take another token`);
}

/** @throws TokenFailure 'gone' for whatever the token answers but success */
export function orGone<Result>(problem: string, call: () => Result): Result {
  try {
    return call();
  } catch (error) {
    if (error instanceof TokenFailure) throw error;
    throw new TokenFailure('gone', `${problem}: ${saidBy(error)}`, error);
  }
}
