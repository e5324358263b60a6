// Package yaratest helps to test the engine and its modules.
//
// [Call] and [Get] ask a module for a value without rules, for the tests of
// module authors. [ReadVectors] and [RunVectors] hold the engine to the
// conformance corpus: some thousand rules with data, with the answers of
// libyara and YARA-X recorded beside them. [CompileCorpus] compiles a tree of
// rule files.
package yaratest
