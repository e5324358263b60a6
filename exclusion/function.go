package exclusion

import (
	"cmp"
	"fmt"
	"net/netip"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// Function documents one function or operator of the language.
type Function struct {
	Name       string
	Signatures []string
	Doc        string
	Example    string
}

// Functions lists all that an expression can call, functions of our own first.
// It is the whole language: CEL's other macros and functions are left out.
func Functions() []Function {
	return []Function{
		{"under", []string{"string.under(string) bool", "string.under(list(string)) bool", "under(path, dir) bool"},
			"The path lies in the directory, or in one of them, or below: element by element, never by prefix of a name. " +
				"The case of letters matters unless the host runs Windows or macOS. A path with a .. element is an error.",
			`file.path.under("/var/update")`},
		{"glob", []string{"string.glob(string) bool", "string.glob(list(string)) bool", "glob(path, pattern) bool"},
			"The whole path fits the pattern, or one of them: * and ? within an element, [a-z] and [!a-z], ** for any number of elements. " +
				"Case as in under.",
			`file.path.glob("/opt/*/jobs/**")`},
		{"cidr", []string{"string.cidr(string) bool", "string.cidr(list(string)) bool", "cidr(ip, net) bool"},
			"The address lies in the network, or in one of them. IPv4 in IPv6 form counts as IPv4.",
			`net.src.ip.cidr("10.0.0.0/8")`},
		{"inWindow", []string{"timestamp.inWindow(from, to, zone) bool"},
			"The time of day, in the time zone, is at or after from and before to (HH:MM). A window may run over midnight.",
			`file.mtime.inWindow("02:00", "04:00", "UTC")`},
		{"within", []string{"timestamp.within(times, slack) bool", "timestamp.within(times, slack, zone) bool", "timestamp.within(host.schedules, name, slack) bool"},
			"The time is at most slack after a minute that a schedule names: five cron fields, @daily and the like, or a calendar expression of systemd " +
				"such as Mon..Fri 02:00. Or that a schedule of the host itself names, by the name of its timer, its crontab (/etc/cron.d/logs, crontab:root) " +
				"or a program it runs. Slack is a duration of at most 24h; the zone is UTC where left out, and the host's own for its schedules.",
			`file.mtime.within(host.schedules, "logproc.timer", duration("10m"))`},
		{"startsWith", []string{"string.startsWith(string) bool"}, "The text starts with the other, byte for byte.", `file.name.startsWith("backup-")`},
		{"endsWith", []string{"string.endsWith(string) bool"}, "The text ends with the other, byte for byte.", `file.name.endsWith(".py")`},
		{"contains", []string{"string.contains(string) bool"}, "The text has the other in it, byte for byte.", `process.cmdline.contains("--backup")`},
		{"matches", []string{"string.matches(string) bool"}, "The RE2 expression matches anywhere in the text: anchor it with ^ and $.", `file.name.matches("^log-[0-9]+$")`},
		{"in", []string{"T in list(T) bool"}, "The value is a member of the list.", `file.sha256 in params.trusted_hashes`},
		{"exists", []string{"list(T).exists(x, bool) bool"}, "At least one member makes the condition true.", `process.ancestors.exists(a, a.startsWith("cron"))`},
		{"all", []string{"list(T).all(x, bool) bool"}, "Every member makes the condition true; an empty list does.", `opener.names.all(n, n in params.backup_tools)`},
		{"size", []string{"size(list) int", "size(string) int"}, "Number of members, or of characters.", `size(process.ancestors) > 1`},
		{"timestamp", []string{"timestamp(string) timestamp"}, "A time, in RFC 3339.", `file.mtime < timestamp("2026-01-31T00:00:00Z")`},
		{"duration", []string{"duration(string) duration"}, "A span of time, in hours, minutes and seconds.", `duration("1h30m")`},
		{"&& || !", []string{"bool && bool", "bool || bool", "! bool"}, "And, or and not, in three-valued logic. Write parentheses where && and || meet.", `a && (b || c)`},
		{"? :", []string{"bool ? T : T"}, "The first value where the condition is true, the second where it is false.", `host.os == "linux" ? a : b`},
		{"== !=", []string{"T == T", "T != T"}, "Equality. Text is compared byte for byte.", `file.owner.name == "root"`},
		{"< <= > >=", []string{"int < int", "string < string", "timestamp < timestamp", "duration < duration"}, "Order.", `file.size < 65536`},
		{"+ - *", []string{"int + int", "int * int", "timestamp - timestamp", "timestamp - duration", "duration + duration"}, "Arithmetic; overflow is an error.",
			`scan.time - file.mtime < duration("24h")`},
		{"[ ]", []string{"list(T)[int] T"}, "The member at an index from 0; one past the end is an error.", `process.ancestors[0] == "cron"`},
	}
}

// ownFunctions lists the functions that CEL does not have; the language has
// these, the standard ones below, and the quantifiers.
var ownFunctions = []string{"under", "glob", "cidr", "inWindow", "within"}

// standard lists the functions taken over from CEL, with the overloads of those
// of which not all are. Text cannot be joined: it would let an expression grow.
var standard = []*env.Function{
	env.NewFunction("_&&_"), env.NewFunction("_||_"), env.NewFunction("!_"), env.NewFunction("_?_:_"),
	env.NewFunction("@not_strictly_false"),
	env.NewFunction("_==_"), env.NewFunction("_!=_"), env.NewFunction("@in"),
	env.NewFunction("_<_"), env.NewFunction("_<=_"), env.NewFunction("_>_"), env.NewFunction("_>=_"),
	env.NewFunction("-_", overload("negate_int64")),
	env.NewFunction("_*_", overload("multiply_int64")),
	env.NewFunction("_+_", overload("add_int64"), overload("add_timestamp_duration"),
		overload("add_duration_timestamp"), overload("add_duration_duration")),
	env.NewFunction("_-_", overload("subtract_int64"), overload("subtract_timestamp_timestamp"),
		overload("subtract_timestamp_duration"), overload("subtract_duration_duration")),
	env.NewFunction("_[_]", overload("index_list")),
	env.NewFunction("size", overload("size_string"), overload("string_size"), overload("size_list"), overload("list_size")),
	env.NewFunction("startsWith"), env.NewFunction("endsWith"), env.NewFunction("contains"), env.NewFunction("matches"),
	env.NewFunction("timestamp", overload("string_to_timestamp")),
	env.NewFunction("duration", overload("string_to_duration")),
}

func overload(id string) *env.Overload { return &env.Overload{ID: id} }

// callable lists the names an expression may call.
func callable() []string {
	names := slices.Clone(ownFunctions)
	for _, f := range standard {
		names = append(names, f.Name)
	}
	return names
}

// declarations are the environment options for functions, with their costs. A
// list costs its length, a text a tenth of it, as in CEL's own model.
func declarations() []cel.EnvOption {
	str, ts := cel.StringType, cel.TimestampType
	args := func(ts ...*cel.Type) []*cel.Type { return ts }
	return []cel.EnvOption{
		cel.StdLib(cel.StdLibSubset(&env.LibrarySubset{IncludeMacros: []string{"exists", "all"}, IncludeFunctions: standard})),
		cel.Function("under", onTextOrList("under", cel.LateFunctionBinding())...),
		cel.Function("glob", onTextOrList("glob", cel.LateFunctionBinding())...),
		cel.Function("cidr", onTextOrList("cidr", cel.FunctionBinding(callCIDR))...),
		cel.Function("inWindow",
			cel.MemberOverload("inWindow_member", args(ts, str, str, str), cel.BoolType, cel.FunctionBinding(callInWindow))),
		cel.Function("within",
			cel.MemberOverload("within_member", args(ts, str, cel.DurationType), cel.BoolType, cel.FunctionBinding(callWithin)),
			cel.MemberOverload("within_member_zone", args(ts, str, cel.DurationType, str), cel.BoolType, cel.FunctionBinding(callWithin)),
			cel.MemberOverload("within_member_schedules", args(ts, cel.ListType(str), str, cel.DurationType), cel.BoolType, cel.FunctionBinding(callWithinSchedule))),
		cel.CostModel(costModels()...),
	}
}

// onTextOrList declares name over a text and a text, or a list of them, as a
// function and as a member.
func onTextOrList(name string, binding cel.OverloadOpt) []cel.FunctionOpt {
	one := []*cel.Type{cel.StringType, cel.StringType}
	many := []*cel.Type{cel.StringType, cel.ListType(cel.StringType)}
	return []cel.FunctionOpt{
		cel.Overload(name+"_text", one, cel.BoolType, binding),
		cel.Overload(name+"_list", many, cel.BoolType, binding),
		cel.MemberOverload(name+"_member", one, cel.BoolType, binding),
		cel.MemberOverload(name+"_member_list", many, cel.BoolType, binding),
	}
}

// costModels prices our functions, and "in", which never walks a parameter.
func costModels() []cost.OverloadModel {
	scan := func(q cost.QuantityExpr) cost.QuantityExpr { return cost.Scale(q, 0.1) }
	models := []cost.OverloadModel{
		cost.Overload("in_list", cost.EvalCost(cost.Const(1))),
		cost.MemberOverload("inWindow_member", cost.EvalCost(cost.Const(3))),
		cost.MemberOverload("within_member", cost.EvalCost(cost.Const(20))),
		cost.MemberOverload("within_member_zone", cost.EvalCost(cost.Const(20))),
		cost.MemberOverload("within_member_schedules", cost.EvalCost(cost.Mul(cost.Const(4), cost.Arg(0)))),
	}
	for _, name := range []string{"under", "glob", "cidr"} {
		models = append(models,
			cost.Overload(name+"_text", cost.EvalCost(cost.Sum(scan(cost.Arg(0)), scan(cost.Arg(1))))),
			cost.Overload(name+"_list", cost.EvalCost(cost.Sum(scan(cost.Arg(0)), cost.Mul(cost.Const(4), cost.Arg(1))))),
			cost.MemberOverload(name+"_member", cost.EvalCost(cost.Sum(scan(cost.Target()), scan(cost.Arg(0))))),
			cost.MemberOverload(name+"_member_list", cost.EvalCost(cost.Sum(scan(cost.Target()), cost.Mul(cost.Const(4), cost.Arg(0))))))
	}
	return models
}

// pathTest is Under or Glob.
type pathTest func(path, arg string, fold bool) (bool, error)

// anyOf asks test of one argument or each of a list. As in a || b, one that is
// true outweighs one that is an error.
func anyOf(test func(arg string) (bool, error), arg ref.Val) (bool, error) {
	if s, ok := arg.(types.String); ok {
		return test(string(s))
	}
	native, err := arg.ConvertToNative(stringsType)
	if err != nil {
		return false, err
	}
	var failed error
	for _, s := range native.([]string) {
		ok, err := test(s)
		if ok && err == nil {
			return true, nil
		}
		failed = cmp.Or(failed, err)
	}
	return false, failed
}

// callPath asks a path test. Where upper and lower case would give different
// answers it needs to know the host's system; goos gives that, or an unknown.
func callPath(test pathTest, args []ref.Val, goos func() ref.Val) ref.Val {
	p := string(args[0].(types.String))
	ask := func(fold bool) (bool, error) {
		return anyOf(func(arg string) (bool, error) { return test(p, arg, fold) }, args[1])
	}
	exact, err := ask(false)
	if err != nil {
		return types.WrapErr(err)
	}
	folded, err := ask(true)
	if err != nil {
		return types.WrapErr(err)
	}
	if exact == folded {
		return types.Bool(exact)
	}
	system, ok := goos().(types.String)
	if !ok {
		return goos()
	}
	if folds(string(system)) {
		return types.Bool(folded)
	}
	return types.Bool(exact)
}

func callCIDR(args ...ref.Val) ref.Val {
	ip, err := netip.ParseAddr(string(args[0].(types.String)))
	if err != nil {
		return types.NewErr("%s is not an IP address", args[0].Value())
	}
	return boolean(anyOf(func(network string) (bool, error) {
		prefix, err := ParseCIDR(network)
		return err == nil && prefix.Contains(ip.Unmap().WithZone("")), err
	}, args[1]))
}

// ParseCIDR parses a network such as 10.0.0.0/8; bits beyond the prefix are an
// error, because they hide a typing mistake.
func ParseCIDR(s string) (netip.Prefix, error) {
	prefix, err := netip.ParsePrefix(s)
	if err != nil {
		return prefix, fmt.Errorf("%q is not a network such as 10.0.0.0/8", s)
	}
	if prefix.Masked() != prefix {
		return prefix, fmt.Errorf("%q has address bits beyond its prefix: %s is the network", s, prefix.Masked())
	}
	return prefix, nil
}

func callInWindow(args ...ref.Val) ref.Val {
	return boolean(InWindow(args[0].(types.Timestamp).Time, text(args[1]), text(args[2]), text(args[3])))
}

func callWithin(args ...ref.Val) ref.Val {
	tz := "UTC"
	if len(args) == 4 {
		tz = text(args[3])
	}
	return boolean(Within(args[0].(types.Timestamp).Time, text(args[1]), args[2].(types.Duration).Duration, tz))
}

func callWithinSchedule(args ...ref.Val) ref.Val {
	schedules, err := args[1].ConvertToNative(stringsType)
	if err != nil {
		return types.WrapErr(err)
	}
	return boolean(WithinSchedule(args[0].(types.Timestamp).Time, schedules.([]string), text(args[2]), args[3].(types.Duration).Duration))
}

// stringsType is what a CEL list of strings becomes in Go.
var stringsType = reflect.TypeFor[[]string]()

func text(v ref.Val) string { return string(v.(types.String)) }

// boolean turns a Go answer into a CEL one.
func boolean(b bool, err error) ref.Val {
	if err != nil {
		return types.WrapErr(err)
	}
	return types.Bool(b)
}

// checkLiteral checks arguments that are written out in the expression, so that a
// mistake in them is an error at load. It is told the function and the literal
// arguments by position; the receiver is position 0.
func checkLiteral(function string, position int, value any) error {
	s, _ := value.(string)
	var err error
	switch {
	case function == "under" && position == 1:
		_, err = CleanPath(s)
	case function == "glob" && position == 1:
		_, err = GlobRegexp(s, false)
	case function == "cidr" && position == 1:
		_, err = ParseCIDR(s)
	case function == "inWindow" && (position == 1 || position == 2):
		_, err = minuteOfDay(s)
	case position == 3 && (function == "inWindow" || function == "within"):
		_, err = zone(s)
	case function == "within" && position == 1:
		_, err = parseRecurrence(s)
	case function == "matches" && position == 1:
		_, err = regexp.Compile(s)
	case function == "timestamp":
		_, err = time.Parse(time.RFC3339, s)
	case function == "duration":
		_, err = time.ParseDuration(s)
	}
	return err
}

// operatorName strips CEL's decoration from an operator's name.
func operatorName(name string) string {
	if name == "@in" {
		return "in"
	}
	if name == "_[_]" {
		return "[]"
	}
	if strings.Contains(name, "_") && !parameterName().MatchString(name) {
		return strings.ReplaceAll(name, "_", "")
	}
	return name
}
