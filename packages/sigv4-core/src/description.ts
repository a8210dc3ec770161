/** The stages of a signature before any key comes in; latin1. */
export interface Description {
  readonly canonicalRequest: string;
  readonly stringToSign: string;
}
