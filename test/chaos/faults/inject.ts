import type { FaultKind } from '../fault-kinds.ts'
import type { Fault } from '../schedule.ts'
import type { Arena, Course } from './arena.ts'
import { alarmBroker, closeConnections, killBroker, stopBrokerApp, takePermissions } from './broker.ts'
import { fillDeadLetterQueue, killBrokerAfterFirstRetry } from './copies.ts'
import { endDaemon, killDaemon } from './daemon.ts'
import { freezeLink, loseHeartbeats, refuseLink, resetLink, silenceLink } from './link.ts'
import {
  breakApplication,
  killPool,
  reloadPool,
  reloadPoolAtOnce,
  removeScript,
  removeSocket,
  stopPool,
} from './pool.ts'
import { deleteDeadLetterQueue, deleteQueue, deleteRetryQueues } from './queue.ts'
import { fillPool, hangWorker, killSilentChild, killSpeakingChild } from './worker.ts'

type Injection = (arena: Arena, fault: Fault) => Promise<Course>

/** What each kind does. It resolves when the system has recovered, or has not within a minute. */
export const INJECTIONS: Readonly<Record<FaultKind, Injection>> = {
  'broker killed': killBroker,
  'broker app stopped': stopBrokerApp,
  'connections closed': closeConnections,
  'permissions taken': takePermissions,
  'memory alarm': alarmBroker,
  'queue deleted': deleteQueue,
  'dead-letter queue deleted': deleteDeadLetterQueue,
  'retry queue deleted': deleteRetryQueues,
  'broker killed after a first retry': killBrokerAfterFirstRetry,
  'dead-letter queue full': fillDeadLetterQueue,
  'link reset': resetLink,
  'link refused': refuseLink,
  'link silent': silenceLink,
  'link frozen': freezeLink,
  'heartbeats lost': loseHeartbeats,
  'pool killed': killPool,
  'pool reloaded at once': reloadPoolAtOnce,
  'pool reloaded': reloadPool,
  'pool stopped': stopPool,
  'socket removed': removeSocket,
  'script missing': removeScript,
  'application broken': breakApplication,
  'child killed before output': killSilentChild,
  'child killed after output': killSpeakingChild,
  'execution past its limit': hangWorker,
  'pool full': fillPool,
  'daemon ended': endDaemon,
  'daemon killed': killDaemon,
}
