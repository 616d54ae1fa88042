import { describe, expect, it } from 'vitest'
import { allOf, Faults, OptionError, type OptionExitCode } from '../../../src/config/option-error.ts'

function thrown(read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    return error
  }
}

describe('a complaint', () => {
  it('is one line, without the password of a URL', () => {
    const { message, complaints } = new OptionError('a\nb \u202e amqp://u:s3cret@h', 64)
    expect(message).toBe('a b   amqp://***@h')
    expect(complaints).toEqual([message])
  })

  it('may be several lines, one each', () => {
    expect(new OptionError(['a', 'b\nc'], 78).message).toBe('a\nb c')
  })
})

describe('faults', () => {
  const error = (complaint: string, exitCode: OptionExitCode) => new OptionError(complaint, exitCode)

  it('are nothing where nothing is wrong', () => {
    const faults = new Faults()
    expect(faults.attempt(() => 7)).toBe(7)
    expect(() => faults.throwAny()).not.toThrow()
  })

  it.each<[readonly OptionExitCode[], OptionExitCode]>([
    [[78], 78],
    [[64, 78], 64],
    [[78, 64], 64],
    [[65], 65],
  ])('with the exit codes %j end with %i', (codes, expected) => {
    const faults = new Faults(codes.map((code, index) => error(`${index}`, code)))
    expect(thrown(() => faults.throwAny())).toMatchObject({ exitCode: expected })
  })

  it('are told once each', () => {
    const faults = new Faults([error('a', 78), error('b', 78), error('a', 78)])
    expect(thrown(() => faults.throwAny())).toMatchObject({ complaints: ['a', 'b'] })
  })

  it('of ours are thrown on at once', () => {
    expect(() =>
      new Faults().attempt(() => {
        throw new TypeError('ours')
      }),
    ).toThrow(TypeError)
  })
})

describe('all parts', () => {
  it('are read, and what is wrong with any of them is told', () => {
    expect(allOf({ a: () => 1, b: () => 'two' })).toEqual({ a: 1, b: 'two' })
    const wrong = (text: string) => () => {
      throw new OptionError(text, 78)
    }
    expect(thrown(() => allOf({ a: wrong('a'), b: () => 1, c: wrong('c') }))).toMatchObject({
      complaints: ['a', 'c'],
    })
  })
})
