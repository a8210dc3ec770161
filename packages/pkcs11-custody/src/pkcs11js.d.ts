/**
 * Declared by ourselves since the library is optional: where it could not be installed, the project compiles all the
 * same.
 */
declare module 'pkcs11js' {
  const pkcs11js: { readonly PKCS11: new () => import('./cryptoki.js').Cryptoki };
  export default pkcs11js;
}
