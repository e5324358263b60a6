// What package kusto asks of Microsoft's language service. It runs after the
// service itself and leaves one function.
(function (global) {
  var K = Kusto.Language, S = K.Symbols;

  function list(type, items) {
    var out = new (System.Collections.Generic.List$1(type).ctor)();
    items.forEach(function (item) { out.add(item); });
    return out;
  }

  // globals declares what a workspace has: {tables: [{name, columns}],
  // functions: [{name, parameters, body}]}.
  global.besraGlobals = function (text) {
    var schema = JSON.parse(text), symbols = [];
    (schema.tables || []).forEach(function (t) {
      symbols.push(S.TableSymbol.From(t.columns).WithName(t.name));
    });
    (schema.functions || []).forEach(function (f) {
      symbols.push(new S.FunctionSymbol.$ctor16(f.name, "(" + f.parameters + ")", "{ " + f.body + "\n}", null));
    });
    return K.GlobalState.Default.WithDatabase(new S.DatabaseSymbol.$ctor1("workspace", list(S.Symbol, symbols)), false);
  };

  function diagnostics(code) {
    var found = code.GetDiagnostics(), out = [];
    for (var i = 0; i < found.Count; i++) {
      var d = System.Array.getItem(found, i, K.Diagnostic);
      out.push({severity: d.Severity, code: d.Code, message: d.Message, start: d.Start, length: d.Length});
    }
    return out;
  }

  function node(n) {
    var out = {k: System.Enum.toString(K.Syntax.SyntaxKind, n.Kind), s: n.TextStart, l: n.Width};
    if (n.ResultType) { out.t = n.ResultType.Name; }
    if (n.ReferencedSymbol) { out.r = n.ReferencedSymbol.Name; }
    if (n.Text !== undefined && n.ChildCount === 0) {
      out.x = n.Text;
      if (typeof n.Value === "string") { out.v = n.Value; }
    }
    for (var i = 0; i < n.ChildCount; i++) {
      var child = n.GetChild(i);
      if (child) { (out.c = out.c || []).push(node(child)); }
    }
    return out;
  }

  function columns(code) {
    var type = code.ResultType, out = [];
    if (!type || !type.Columns) { return out; }
    for (var i = 0; i < type.Columns.Count; i++) {
      var c = System.Array.getItem(type.Columns, i, S.ColumnSymbol);
      out.push({name: c.Name, type: c.Type.Name});
    }
    return out;
  }

  // besraAnalyze parses and binds a query, and returns what was found in JSON.
  global.besraAnalyze = function (query, globals, tree) {
    var code = K.KustoCode.ParseAndAnalyze(query, globals);
    var out = {diagnostics: diagnostics(code), columns: columns(code)};
    if (tree) { out.tree = node(code.Syntax); }
    return JSON.stringify(out);
  };
})(this);
