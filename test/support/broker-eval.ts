import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

/*
 * Erlang, evaluated inside a node that runs the script below. `rabbitmqctl eval` does the same, and starts an Erlang VM of
 * its own for it, which takes a second or two of a processor.
 */

/** Where such a node listens: in its folder, which nobody but us gets into. */
export const evalSocketIn = (directory: string): string => join(directory, 'eval.sock')

/** The script, for file:eval at the node's start. Each connection brings expressions, and takes the value of the last one. */
export const evalScript = (directory: string): string => `
Answer = fun(Text) ->
  {ok, Tokens, _} = erl_scan:string(Text),
  {ok, Expressions} = erl_parse:parse_exprs(Tokens),
  {value, Value, _} = erl_eval:exprs(Expressions, []),
  ["ok ", case is_binary(Value) of true -> Value; false -> io_lib:format("~0tp", [Value]) end]
end,
Serve = fun Serve(Listener) ->
  {ok, Socket} = gen_tcp:accept(Listener),
  spawn(fun() -> Serve(Listener) end),
  {ok, Text} = gen_tcp:recv(Socket, 0),
  Said = try Answer(binary_to_list(Text)) catch Class:Reason -> io_lib:format("~p: ~0tp", [Class, Reason]) end,
  inet:setopts(Socket, [{packet, raw}]),
  gen_tcp:send(Socket, unicode:characters_to_binary(Said)),
  gen_tcp:close(Socket)
end,
spawn(fun() ->
  Path = ${JSON.stringify(evalSocketIn(directory))},
  file:delete(Path),
  {ok, Listener} = gen_tcp:listen(0, [{ifaddr, {local, Path}}, binary, {packet, 4}, {active, false}]),
  spawn(fun() -> Serve(Listener) end),
  receive never -> ok end
end).`

/**
 * @param expressions of Erlang, with the full stop
 * @returns the value of the last one: a binary as it is, anything else as Erlang prints it
 * @throws when nobody listens, or one of them throws: the message has Erlang's words
 */
export async function evaluateAt(socketPath: string, expressions: string): Promise<string> {
  const socket = connect(socketPath)
  const bytes = Buffer.from(expressions)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  socket.write(Buffer.concat([length, bytes]))
  const answer = await text(socket)
  if (!answer.startsWith('ok ')) throw new Error(`In the broker, ${expressions.trim()} failed: ${answer}`)
  return answer.slice('ok '.length)
}
