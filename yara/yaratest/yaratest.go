// Package yaratest helps to test the engine and its modules: it calls a
// module's functions without rules ([Call], [Get]).
package yaratest
