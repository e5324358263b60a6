// Package exclusion decides which matches are benign, and never hides one that
// it is not sure of.
//
// An exclusion is a positive sentence in CEL, "this is benign when …", over the
// facts of [besra.Vocabulary] and the parameters of its detection:
//
//	file.path.under("/var/update") && file.sha256 in params.trusted_hashes
//
// [NewEnv] types the parameters, [Compile] checks a [Spec] against the facts
// that its contexts can provide, [Exclusion.Decide] asks for the facts, and
// [Apply] writes the answers of a whole list of exclusions into a finding:
//
//	env, problems := exclusion.NewEnv(detection.Parameters, nil)
//	x, problems := exclusion.Compile(spec, exclusion.Options{Env: env, KnownBad: hashes})
//	exclusion.Apply(ctx, []*exclusion.Exclusion{x}, &finding, target.Facts, time.Now())
//
// What holds:
//
//   - Logic is three-valued (Kleene). A fact that is not available and a
//     parameter that is not set are unknown; true || unknown is true, false &&
//     unknown is false, everything else that meets an unknown is unknown. Only
//     TRUE has an effect.
//   - Facts are asked on demand, in the order the expression needs them, each
//     once.
//   - A suppression that rests on forgeable facts alone is lowered to a
//     downgrade, unless the exclusion records why not (allow_weak).
//   - A draft, without an owner, a reason or an expiry, only annotates: an
//     importer may write what a page says, and nothing is hidden by it.
//   - A file whose hash the detection knows as bad is never excluded.
//   - A lapsed exclusion has no effect, and says so.
//   - Evaluation is bounded: an expression that costs too much ends with
//     outcome "error".
//
// A compiled [Exclusion] and an [Env] are immutable and may be shared by any
// number of goroutines. The faults that a working exclusion can still have are
// the business of package exclusion/lint.
package exclusion
