import type { ErrorCode } from 'yaml'

/**
 * What somebody will have done. The sentences of the `yaml` package name rules of its grammar, and some quote the file, which may
 * have a password.
 */
const MISTAKES: Partial<Record<ErrorCode, string>> = {
  BAD_ALIAS: 'a value that begins with * or & needs quotes',
  BAD_DQ_ESCAPE: 'in double quotes a backslash begins an escape; use single quotes',
  BAD_INDENT: 'the indentation does not fit, or a bracket is not closed',
  BAD_SCALAR_START: 'a value that begins with %, @ or ` needs quotes',
  BLOCK_AS_IMPLICIT_KEY: 'the indentation does not fit, or a value that has ": " in it needs quotes',
  MISSING_CHAR: 'a closing quote or bracket, a colon, a "- " or a space before # is missing, here or above',
  MULTILINE_IMPLICIT_KEY: 'there is no "key: value"; a space must follow the colon',
  MULTIPLE_DOCS: 'a second document begins (---), and only one is allowed',
  RESOURCE_EXHAUSTION: 'it is nested too deeply',
  TAB_AS_INDENT: 'indent with spaces, not with tabs',
  TAG_RESOLVE_FAILED: 'tags are not taken; a value that begins with ! needs quotes',
  UNEXPECTED_TOKEN: 'a bracket or a text stands where there can be none; quotes may be missing',
}

/** Completes "the file is malformed at line 3: ...". */
export function yamlMistake(code: ErrorCode): string {
  return MISTAKES[code] ?? code
}
