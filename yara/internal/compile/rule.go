package compile

import (
	"strconv"

	"github.com/besra-hunt/besra/yara/diag"
	"github.com/besra-hunt/besra/yara/internal/program"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/syntax"
)

// addRule compiles a rule. Where it has errors nothing of it stays but its
// name, so that rules that refer to it can say why they fail too.
func (c *Compiler) addRule(ns *namespace, s *source, r *syntax.Rule) {
	l := &lowering{c: c, ns: ns, src: s, rule: r, iterations: 1}
	declared := l.checkName()
	l.checkTags()
	l.addPatterns()
	start := l.mark()
	cond := l.condition()
	l.checkSize(start)
	l.checkUnused()
	l.lint()
	name := &ruleName{name: r.Name.Name, span: r.Name.Span, index: -1, global: r.Global, missing: l.missing}
	if l.failed || cond.broken {
		l.cut(start)
	} else {
		name.index = l.commit(start, cond)
	}
	if declared {
		ns.declare(name)
	}
}

// checkName refuses a name that is taken, and reports whether the rule is the
// one that the name stands for from here on.
func (l *lowering) checkName() (declared bool) {
	id := l.rule.Name
	declared = true
	l.checkIdentifier(id)
	if first := l.ns.rules[id.Name]; first != nil {
		l.failed, declared = true, false
		l.c.report(&diag.Diagnostic{Code: "duplicate_rule", Title: "duplicate rule `" + id.Name + "`", Span: id.Span,
			Primary: "declared again", Labels: []diag.Label{{Span: first.span, Text: "declared here for the first time"}}})
	} else if l.c.taken(l.ns, id.Name) {
		declared = false
		l.errorAt("rule_name_conflict", id.Span, "rule `"+id.Name+"` conflicts with a module or variable",
			"the name is in use")
	}
	if prefix, at, ok := l.ns.wildcardOf(id.Name); ok {
		l.failed = true
		l.c.report(&diag.Diagnostic{Code: "rule_after_wildcard", Title: "rule `" + id.Name + "` comes too late", Span: id.Span,
			Primary: "an earlier rule refers to `" + prefix + "*` and would miss it",
			Labels:  []diag.Label{{Span: at, Text: "the set is used here"}}})
	}
	return declared
}

func (l *lowering) checkTags() {
	for _, tag := range l.rule.Tags {
		l.checkIdentifier(tag)
	}
	if len(l.rule.Tags) < 2 {
		return
	}
	seen := make(map[string]bool, len(l.rule.Tags))
	for _, tag := range l.rule.Tags {
		if seen[tag.Name] {
			l.errorAt("duplicate_tag", tag.Span, "duplicate tag `"+tag.Name+"`", "")
		}
		seen[tag.Name] = true
	}
}

// condition lowers the condition to a bool.
func (l *lowering) condition() operand {
	if l.rule.Condition == nil {
		l.failed = true // the parser has said why
		return operand{broken: true}
	}
	o := l.boolExpr(l.rule.Condition)
	if b, ok := o.value.Bool(); ok && !o.broken {
		l.warn("invariant_expr", l.rule.Condition.Pos(), "rule `"+l.rule.Name.Name+"` is always "+strconv.FormatBool(b),
			"this condition has a constant value")
	}
	return o
}

// checkSize refuses conditions whose nodes are nested deeper, or need more
// slots, than a program may have.
func (l *lowering) checkSize(m mark) {
	if l.failed {
		return
	}
	if l.c.prog.Depth(program.NodeID(m.nodes)) > program.MaxDepth || l.maxSlots > program.MaxSlots {
		l.errorAt("too_deep", l.rule.Condition.Pos(), "condition is nested too deep", "")
	}
}

// checkUnused refuses patterns that no condition asks for. A condition that
// is broken may have asked for them.
func (l *lowering) checkUnused() {
	if l.failed {
		return
	}
	for i := range l.patterns {
		p := &l.patterns[i]
		if id := p.src.ID; !p.used && !hasPrefix(id.Name, "$_") {
			l.errorAt("unused_pattern", id.Span, "unused pattern `"+id.Name+"`",
				"the condition does not use this pattern", "start its name with `$_` to keep it anyway")
		}
	}
}

// commit adds the rule to the program and returns its index.
func (l *lowering) commit(start mark, cond operand) int32 {
	c, r := l.c, l.rule
	index := int32(len(c.prog.Rules))
	rule := program.Rule{Name: r.Name.Name, Namespace: l.ns.index, Global: r.Global, Private: r.Private,
		Condition: cond.node, Slots: l.maxSlots}
	line, column := l.src.position(r.Name.Start)
	label := &program.Label{Meta: l.meta(), Origin: l.src.Name, Line: int32(line), Column: int32(column)}
	for _, tag := range r.Tags {
		label.Tags = append(label.Tags, tag.Name)
	}
	rule.Patterns, label.Patterns = l.link(start)
	facts := l.derive(start, cond.node)
	rule.Anchors, rule.Gate = facts.anchors, facts.gate
	c.prog.Rules = append(c.prog.Rules, rule)
	c.prog.Labels.Add(label)
	c.facts = append(c.facts, facts)
	if r.Global {
		ns := &c.prog.Namespaces[l.ns.index]
		ns.Globals = append(ns.Globals, index)
	}
	return index
}

func (l *lowering) meta() []program.Meta {
	list := make([]program.Meta, 0, len(l.rule.Meta))
	for _, m := range l.rule.Meta {
		list = append(list, program.Meta{Key: m.Key.Name, Value: metaValue(m.Value)})
	}
	return list
}

// metaValue reads the literal of a meta entry.
func metaValue(e syntax.Expr) module.Value {
	switch e := e.(type) {
	case *syntax.IntLit:
		return module.Int(e.Value)
	case *syntax.FloatLit:
		return module.Float64(e.Value)
	case *syntax.BoolLit:
		return module.Boolean(e.Value)
	case *syntax.TextLit:
		return module.Text(e.Lit.Value)
	}
	return module.Value{}
}
