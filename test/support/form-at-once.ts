import { encodeForm } from '../../src/payload/form.ts'

/** The form of a body that is small enough to be made at once. */
export function formAtOnce(body: Buffer, extra: readonly [string, string] = ['daemonId', 'D-1']): Buffer {
  const form = encodeForm(body, extra)
  if (form instanceof Promise) throw new Error('The form is not made at once')
  return form
}
