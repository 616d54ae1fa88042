/** Tells a returned message from all others that are on their way. Of no use to anybody who receives it, and taken off there. */
export const PUBLISH_ID = 'x-fpm-bridge-publish-id'
