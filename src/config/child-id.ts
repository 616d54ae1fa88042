/** In the environment of a supervised process: its daemon id. Whoever else forks us with a channel is no supervisor of ours. */
export const CHILD_ID = 'FPM_BRIDGE_CHILD_ID'

/** Beside it where the supervisor shows its processes (--admin), whatever the configuration says by now. */
export const CHILD_WATCHED = 'FPM_BRIDGE_CHILD_WATCHED'
