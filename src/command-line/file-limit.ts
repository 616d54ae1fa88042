/** With fewer than that something may fail for want of them. */
const ENOUGH = 256

/**
 * Why Node.js could not load our files, if it is for want of open files: it opens them all at the same time, and takes a
 * package that it cannot open for one that is not there.
 */
export function fileLimitFault(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENFILE') return 'the system has no open file left; raise fs.file-max, or find who has them'
  const limit = openFileLimit()
  if (code !== 'EMFILE' && !(code === 'ERR_MODULE_NOT_FOUND' && limit < ENOUGH)) return undefined
  return `${limit} open files are too few to start with; allow 1024 (ulimit -n, LimitNOFILE=, --ulimit nofile=)`
}

/** NaN for none. */
function openFileLimit(): number {
  const { userLimits } = process.report.getReport() as unknown as {
    userLimits: { open_files: { soft: number | 'unlimited' } }
  }
  return Number(userLimits.open_files.soft)
}
