/** Bytes of a body that tell what it is. */
const ENOUGH = 64

/** What bodies are that are no JSON, by how they begin, as one character for each byte; and what there is to do. */
const HINTS: readonly (readonly [beginnings: readonly (string | RegExp)[], hint: string])[] = [
  [
    ['\xef\xbb\xbf'],
    'it begins with a byte order mark, which JSON may not (RFC 8259, section 8.1): publish it without the bytes EF BB BF',
  ],
  [['\xff\xfe', '\xfe\xff'], 'it begins like UTF-16: publish it in UTF-8'],
  [
    // gzip (RFC 1952), zlib (RFC 1950), Zstandard (RFC 8878).
    ['\x1f\x8b', 'x\x9c', 'x\xda', '\x28\xb5\x2f\xfd'],
    'it is compressed, and nothing inflates it: publish it uncompressed, or have the worker inflate it with --payload raw',
  ],
  [
    // serialize(), and what Symfony's PhpSerializer makes of it: the same with backslashes before the quotes.
    [/^([aOCE]:\d+:|s:\d+:\\?"|[ibd]:[-+.\dEINF]+;|N;)/],
    'it is serialized PHP; --payload raw passes it on as it is',
  ],
  [[/^<[?!A-Za-z]/], 'it begins like XML or HTML; --payload raw passes it on as it is'],
  [
    [/^[\w.%+-]+(\[[^\]]*\])*=/],
    'it looks like a form already; --payload raw passes it on as it is, and with the content type of a form it fills $_POST',
  ],
]

/** @returns what a body is that is no JSON, as far as its beginning tells, and what to do */
export function bodyHint(body: Buffer): string | undefined {
  const begin = body.toString('latin1', 0, ENOUGH)
  const begins = (beginning: string | RegExp) =>
    typeof beginning === 'string' ? begin.startsWith(beginning) : beginning.test(begin)
  return HINTS.find(([beginnings]) => beginnings.some(begins))?.[1]
}
