// Package filelock locks files between processes. A lock ends with the file
// that holds it, so that a killed process leaves none behind. It is advice: only
// those who ask are kept out, and reading is never.
package filelock
