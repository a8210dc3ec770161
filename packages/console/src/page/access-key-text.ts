/** A session names the access key that it was made of, too. */
export function accessKeyText({
  accessKeyId,
  parentAccessKeyId,
  sessionName,
}: {
  readonly accessKeyId: string;
  readonly parentAccessKeyId?: string | undefined;
  readonly sessionName?: string | undefined;
}): string {
  if (parentAccessKeyId === undefined) return accessKeyId;
  return `${accessKeyId} (${[sessionName, `of ${parentAccessKeyId}`].filter(Boolean).join(', ')})`;
}
