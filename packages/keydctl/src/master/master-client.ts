import {
  accessKey,
  ACCESS_KEY_CHANGES_PATH,
  ACCESS_KEY_IMPORT_PATH,
  ACCESS_KEY_PIN_PATHS,
  accessKeyPath,
  ACCESS_KEYS_PATH,
  ASKED_CALLS_PATH,
  askedCalls,
  BANS_PATH,
  changedAccessKeys,
  CHECKPOINT_PATH,
  checkpointAnswer,
  CUSTODY_PATH,
  CUSTODY_RECOVERY_PATH,
  CUSTODY_ROTATION_PATH,
  custodyRecoveries,
  custodyStatus,
  createdAccessKey,
  createdSession,
  DEPUTY_GRANTS_PATH,
  deputyGrant,
  identityBan,
  INCIDENT_REPORT_PATH,
  incidentReport,
  ISSUED_COUNTS_PATH,
  issuedCounts,
  LEDGER_RECORDS_PATH,
  ledgerRecords,
  liftAnswer,
  LIFTS_PATH,
  listedAccessKeys,
  listedBans,
  listedDeputyGrants,
  listedRevocations,
  MOST_CHANGES_BYTES,
  MOST_RECORD_BYTES_A_PAGE,
  overview,
  OVERVIEW_PATH,
  pinnedAccessKeys,
  RESUME_AFTER_RESTORE_PATH,
  resumedAfterRestore,
  revocationAnswer,
  REVOCATIONS_PATH,
  rotateAccessKeyPath,
  rotatedAccessKey,
  rotatedCustody,
  SESSIONS_PATH,
  STATUS_PATH,
  statusAnswer,
  withdrawnGrants,
  type AccessKey,
  type AccessKeyPinAction,
  type AccessKeyStatus,
  type AskedCalls,
  type ChangedAccessKeysAnswer,
  type CheckpointAnswer,
  type CreateAccessKey,
  type CreatedAccessKey,
  type CreatedSession,
  type CreateSession,
  type CustodyRecoveries,
  type CustodyStatus,
  type DeputyGrant,
  type DeputyGrantRequest,
  type IdentityBan,
  type IncidentQuery,
  type IncidentReport,
  type ImportAccessKey,
  type IssuedCounts,
  type LedgerRecords,
  type LedgerRecordsQuery,
  type LiftAnswer,
  type Overview,
  type ListedBans,
  type ListedDeputyGrants,
  type ListedRevocations,
  type PeerClient,
  type ResumedAfterRestore,
  type RevocationAnswer,
  type RevocationRequest,
  type RotateCustody,
  type RotatedAccessKey,
  type RotatedCustody,
  type StatusAnswer,
  type WithdrawnGrants,
  type WantedAccessKeyChange,
} from '@sigv4-keyd/hop-protocol';

export interface AccessKeyFilter {
  readonly owner?: string | undefined;
  readonly status?: AccessKeyStatus | undefined;
  /** The sessions of this access key, in place of access keys. */
  readonly sessionsOf?: string | undefined;
}

const PAGE = 1000;
/** A page of records as JSON in JSON, bytes: quotes take two. */
const LARGEST_PAGE = 4 * MOST_RECORD_BYTES_A_PAGE;

/** What an operator asks of master-keyd. Rejects with a KeydError. */
export class MasterClient {
  readonly #peer: PeerClient;

  constructor(peer: PeerClient) {
    this.#peer = peer;
  }

  /** The one answer that carries the secret. */
  create(request: CreateAccessKey): Promise<CreatedAccessKey> {
    return this.#peer.call({ method: 'POST', path: ACCESS_KEYS_PATH, body: request, answer: createdAccessKey });
  }

  /** The one answer that carries secret and token. */
  createSession(request: CreateSession): Promise<CreatedSession> {
    return this.#peer.call({ method: 'POST', path: SESSIONS_PATH, body: request, answer: createdSession });
  }

  import(request: ImportAccessKey): Promise<AccessKey> {
    return this.#peer.call({ method: 'POST', path: ACCESS_KEY_IMPORT_PATH, body: request, answer: accessKey });
  }

  /** All access keys that fit, in the order of their ids, a page at a time. */
  async *list({ owner, status, sessionsOf }: AccessKeyFilter = {}): AsyncGenerator<AccessKey, void, undefined> {
    let after: string | undefined;
    do {
      const query = new URLSearchParams({ limit: String(PAGE) });
      if (owner !== undefined) query.set('owner', owner);
      if (status !== undefined) query.set('status', status);
      if (sessionsOf !== undefined) query.set('sessionsOf', sessionsOf);
      if (after !== undefined) query.set('after', after);
      const path = `${ACCESS_KEYS_PATH}?${query.toString()}`;
      const page = await this.#peer.call({ method: 'GET', path, answer: listedAccessKeys });
      yield* page.accessKeys;
      after = page.next;
    } while (after !== undefined);
  }

  get(accessKeyId: string): Promise<AccessKey> {
    return this.#peer.call({ method: 'GET', path: accessKeyPath(accessKeyId), answer: accessKey });
  }

  /** Resolves once the feed tells of it: all of the access keys were changed, or none. At most 5,000. */
  change(
    accessKeyIds: readonly string[],
    change: WantedAccessKeyChange,
    { dryRun = false }: { readonly dryRun?: boolean } = {},
  ): Promise<ChangedAccessKeysAnswer> {
    const body = { accessKeyIds, change, dryRun };
    const path = ACCESS_KEY_CHANGES_PATH;
    return this.#peer.call({ method: 'POST', path, body, answer: changedAccessKeys, mostBytes: MOST_CHANGES_BYTES });
  }

  /** The answer carries the new secret. Without an overlap the access key keeps its id. */
  rotate(accessKeyId: string, overlapSeconds?: number): Promise<RotatedAccessKey> {
    const body = { ...(overlapSeconds !== undefined && { overlapSeconds }) };
    return this.#peer.call({ method: 'POST', path: rotateAccessKeyPath(accessKeyId), body, answer: rotatedAccessKey });
  }

  /** In the order that was given: all of them were changed, or none. */
  async pin(action: AccessKeyPinAction, accessKeyIds: readonly string[]): Promise<readonly AccessKey[]> {
    const path = ACCESS_KEY_PIN_PATHS[action];
    const { accessKeys } = await this.#peer.call({
      method: 'POST',
      path,
      body: { accessKeyIds },
      answer: pinnedAccessKeys,
    });
    return accessKeys;
  }

  incidentReport(query: IncidentQuery): Promise<IncidentReport> {
    const given = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, value);
    const path = `${INCIDENT_REPORT_PATH}?${given.toString()}`;
    return this.#peer.call({ method: 'GET', path, answer: incidentReport });
  }

  /** Resolves once the revocation is stored and served; or, in a dry run, with what it would hit. */
  revoke(request: RevocationRequest): Promise<RevocationAnswer> {
    return this.#peer.call({ method: 'POST', path: REVOCATIONS_PATH, body: request, answer: revocationAnswer });
  }

  /** The newest last. */
  revocations(): Promise<ListedRevocations> {
    return this.#peer.call({ method: 'GET', path: REVOCATIONS_PATH, answer: listedRevocations });
  }

  /** `jws`: a lift that was signed with the root key elsewhere. */
  lift(jws: string): Promise<LiftAnswer> {
    return this.#peer.call({ method: 'POST', path: LIFTS_PATH, body: { jws }, answer: liftAnswer });
  }

  /** `statements`: signed statements and pages that the database may lack, compact JWS. */
  resume(statements: readonly string[]): Promise<ResumedAfterRestore> {
    const path = RESUME_AFTER_RESTORE_PATH;
    return this.#peer.call({ method: 'POST', path, body: { statements }, answer: resumedAfterRestore });
  }

  ban(spiffeId: string, reason: string): Promise<IdentityBan> {
    return this.#peer.call({ method: 'POST', path: BANS_PATH, body: { spiffeId, reason }, answer: identityBan });
  }

  /** Resolves with the ban that has ended. */
  unban(spiffeId: string): Promise<IdentityBan> {
    const path = `${BANS_PATH}?${new URLSearchParams({ spiffeId }).toString()}`;
    return this.#peer.call({ method: 'DELETE', path, answer: identityBan });
  }

  bans(): Promise<ListedBans> {
    return this.#peer.call({ method: 'GET', path: BANS_PATH, answer: listedBans });
  }

  grantDays(wanted: DeputyGrantRequest): Promise<DeputyGrant> {
    return this.#peer.call({ method: 'POST', path: DEPUTY_GRANTS_PATH, body: wanted, answer: deputyGrant });
  }

  /** Resolves with all that the deputy was granted until now. */
  withdrawDays(deputy: string): Promise<WithdrawnGrants> {
    const path = `${DEPUTY_GRANTS_PATH}?${new URLSearchParams({ deputy }).toString()}`;
    return this.#peer.call({ method: 'DELETE', path, answer: withdrawnGrants });
  }

  deputyGrants(): Promise<ListedDeputyGrants> {
    return this.#peer.call({ method: 'GET', path: DEPUTY_GRANTS_PATH, answer: listedDeputyGrants });
  }

  /** The newest signed checkpoint of the ledger. */
  checkpoint(): Promise<CheckpointAnswer> {
    return this.#peer.call({ method: 'GET', path: CHECKPOINT_PATH, answer: checkpointAnswer });
  }

  /** A page of the ledger. */
  ledgerRecords(query: LedgerRecordsQuery): Promise<LedgerRecords> {
    const given = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value));
    const path = `${LEDGER_RECORDS_PATH}?${given.toString()}`;
    return this.#peer.call({ method: 'GET', path, answer: ledgerRecords, mostBytes: LARGEST_PAGE });
  }

  custodyStatus(): Promise<CustodyStatus> {
    return this.#peer.call({ method: 'GET', path: CUSTODY_PATH, answer: custodyStatus });
  }

  /** The custody keys, wrapped for the recovery key. */
  custodyRecoveries(): Promise<CustodyRecoveries> {
    return this.#peer.call({ method: 'GET', path: CUSTODY_RECOVERY_PATH, answer: custodyRecoveries });
  }

  /** What masters recorded before they asked a signer, in the order of the ids. */
  async *askedCalls(): AsyncGenerator<AskedCalls['calls'][number], void, undefined> {
    let after: string | undefined;
    do {
      const path = after === undefined ? ASKED_CALLS_PATH : `${ASKED_CALLS_PATH}?after=${after}`;
      const page: AskedCalls = await this.#peer.call({ method: 'GET', path, answer: askedCalls });
      yield* page.calls;
      after = page.next;
    } while (after !== undefined);
  }

  /** Keys that masters recorded as issued, by date. */
  issuedCounts(): Promise<IssuedCounts> {
    return this.#peer.call({ method: 'GET', path: ISSUED_COUNTS_PATH, answer: issuedCounts });
  }

  /** Seals a page of secrets anew. */
  rotateCustody(page: RotateCustody): Promise<RotatedCustody> {
    return this.#peer.call({ method: 'POST', path: CUSTODY_ROTATION_PATH, body: page, answer: rotatedCustody });
  }

  /** The picture that the console draws. */
  overview(): Promise<Overview> {
    return this.#peer.call({ method: 'GET', path: OVERVIEW_PATH, answer: overview });
  }

  status(): Promise<StatusAnswer> {
    return this.#peer.call({ method: 'GET', path: STATUS_PATH, answer: statusAnswer });
  }
}
