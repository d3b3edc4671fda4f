/**
 * The time of every file: with a commit's own time the same files would be another layer in each commit. Not 1970,
 * since zip has no time before 1980, and Python programs that pack their own code (Ray, Spark) fail on it.
 */
export const fileTime = new Date('1980-01-01T00:00:00Z');
