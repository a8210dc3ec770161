const OF_FILES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'this user may not',
  EPERM: 'this user may not',
  EEXIST: 'it is there already',
  EISDIR: 'it is a folder, not a file',
  ENOTDIR: 'part of its path is a file, not a folder',
  ENOSPC: 'the disk is full',
};

/** Node says `ENOENT: no such file or directory, open 'PATH'`: the path is what one looks for first. */
export function systemErrorText({ code, message, path }: NodeJS.ErrnoException): string {
  const why = code === undefined ? undefined : OF_FILES[code];
  return path === undefined || why === undefined ? message : `${path}: ${why} (${code})`;
}

export function isSystemError(error: unknown): error is NodeJS.ErrnoException & { readonly code: string } {
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string';
}
