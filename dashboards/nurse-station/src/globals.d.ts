// What the build puts in: version of the page, and the name of this build.
declare const __VERSION__: string;
declare const __BUILD__: string;
/** Digest of the messages that it speaks, as a gateway tells its own. */
declare const __CONTRACT__: string;
