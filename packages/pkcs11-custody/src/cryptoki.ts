// The part of PKCS#11 that is used here, as pkcs11js has it.

export interface Attribute {
  readonly type: number;
  readonly value?: Buffer | boolean | number | string;
}

export interface Mechanism {
  readonly mechanism: number;
}

/** Every function throws an error with the number of PKCS#11's return value as its `code`. */
export interface Cryptoki {
  load(path: string): void;
  C_Initialize(): void;
  C_Finalize(): void;
  C_GetSlotList(withToken: boolean): readonly Buffer[];
  C_GetTokenInfo(slot: Buffer): { readonly label: string };
  C_GetMechanismList(slot: Buffer): readonly number[];
  C_OpenSession(slot: Buffer, flags: number): Buffer;
  C_Login(session: Buffer, userType: number, pin: string): void;
  C_FindObjectsInit(session: Buffer, template: readonly Attribute[]): void;
  C_FindObjects(session: Buffer, most: number): readonly Buffer[];
  C_FindObjectsFinal(session: Buffer): void;
  C_GetAttributeValue(
    session: Buffer,
    object: Buffer,
    template: readonly Attribute[],
  ): readonly { readonly value: Buffer }[];
  C_GenerateKey(session: Buffer, mechanism: Mechanism, template: readonly Attribute[]): Buffer;
  C_CreateObject(session: Buffer, template: readonly Attribute[]): Buffer;
  C_DestroyObject(session: Buffer, object: Buffer): void;
  C_WrapKey(session: Buffer, mechanism: Mechanism, wrappingKey: Buffer, key: Buffer, out: Buffer): Buffer;
  C_UnwrapKey(
    session: Buffer,
    mechanism: Mechanism,
    wrappingKey: Buffer,
    wrapped: Buffer,
    template: readonly Attribute[],
  ): Buffer;
  C_SignInit(session: Buffer, mechanism: Mechanism, key: Buffer): void;
  C_Sign(session: Buffer, data: Buffer, out: Buffer): Buffer;
  C_VerifyInit(session: Buffer, mechanism: Mechanism, key: Buffer): void;
  C_Verify(session: Buffer, data: Buffer, signature: Buffer): boolean;
}
