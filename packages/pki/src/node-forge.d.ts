// What this package uses of node-forge and its typings leave out.
declare module 'node-forge' {
  namespace asn1 {
    interface FromDerOptions {
      readonly strict?: boolean;
      readonly parseAllBytes?: boolean;
      readonly decodeBitStrings?: boolean;
    }
    function fromDer(bytes: Bytes, options: FromDerOptions): Asn1;
  }
  namespace util {
    function bytesToIP(bytes: Bytes): string | null;
  }
  namespace pki {
    function certificateExtensionsToAsn1(extensions: readonly unknown[]): asn1.Asn1;
  }
}
