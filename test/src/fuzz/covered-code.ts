/** The compiled code that the fuzzer counts the coverage of. */
export const COVERED_CODE: readonly string[] = ['packages/sigv4-core/dist/'];
