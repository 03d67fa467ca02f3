/* oxlint-disable no-underscore-dangle -- the names that scripts/build.mjs replaces; unbuilt they do not exist */
declare const __VERSION__: string | undefined;
declare const __BUILD_DATE__: string | undefined;
declare const __GIT_COMMIT__: string | undefined;

export interface BuildInfo {
  readonly version: string;
  readonly buildDate: string;
  readonly gitCommit: string;
}

/** What the build baked in about itself. */
export function buildInfo(): BuildInfo {
  return {
    version: typeof __VERSION__ === 'undefined' ? 'unknown' : __VERSION__,
    buildDate: typeof __BUILD_DATE__ === 'undefined' ? 'unknown' : __BUILD_DATE__,
    gitCommit: typeof __GIT_COMMIT__ === 'undefined' ? 'unknown' : __GIT_COMMIT__,
  };
}
