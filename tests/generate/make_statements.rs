//! Random statements.

use super::examples;
use super::make::{Holds, Maker, Map};
use super::numbers;
use super::tree::{Node, Op, Stmt, Ty};

/// What is said without values of the script.
const REQUESTS: [&str; 15] = [
    "emit rows(cpu, comm)",
    "emit rows(nsecs, comm, kstack(3), curtask)",
    "emit rows(d = pid, a = tid)",
    "exit()",
    "exit(3)",
    "return",
    "@stacks[kstack(perf, 5)] = count()",
    "print(kstack)",
    "time()",
    "time(\"%H:%M:%S %A\\n\")",
    "print(strftime(\"%H:%M:%S.%f\", nsecs))",
    "@times[strftime(\"%M\", elapsed)] = count()",
    "print((ksym(curtask.mm), kstack(3), cpu))",
    "@syms[ksym(nsecs)] = kstack(2)",
    "printf(\"%s %s %s %p\\n\", ksym(cpu), strftime(\"%D\", nsecs), kstack(raw, 2), curtask)",
];

/// Compound assignments.
const OPERATORS: [&str; 10] =
    ["# += #", "# -= #", "# *= #", "# /= #", "# %= #", "# &= #", "# |= #", "# ^= #", "# <<= #", "# >>= #"];

impl Maker {
    /// At most `length` statements; blocks at most `depth` deep.
    pub fn block(&mut self, length: usize, depth: usize) -> Vec<Stmt> {
        let (vars, entries) = (self.vars.len(), self.entries.len());
        let mut block = Vec::new();
        for _ in 0..1 + self.rng.below(length) {
            self.statement(depth, &mut block);
        }
        self.vars.truncate(vars);
        self.entries.truncate(entries);
        block
    }

    fn statement(&mut self, depth: usize, out: &mut Vec<Stmt>) {
        let line = match self.rng.below(36) {
            0..=2 if depth > 0 => return out.push(self.conditional(depth)),
            3 if depth > 0 => return self.looped(depth, out),
            4 if self.loops > 0 => Node::text(*self.rng.pick(&["break", "continue"]), Ty::Void),
            0..=6 => self.declare(),
            7 => self.change_variable(),
            8 | 9 => self.change_map(),
            10..=15 => self.assign_some(),
            16..=19 => self.printf(),
            20 | 21 => self.print(),
            22 => self.step().unwrap_or_else(|| Node::text("exit()", Ty::Void)),
            23 => self.remove("delete(", ")"),
            24 => {
                let template = *self.rng.pick(&["clear(#)", "zero(#)"]);
                self.whole(template)
            }
            25 if self.goes_over_maps || self.rng.chance(10) => Node::text(examples::body(&mut self.rng), Ty::Void),
            26 => self.long_value(),
            27 => self.look(),
            28 | 29 => self.each_entry(),
            30 => Node::with("emit rows(#, #)", Ty::Void, vec![self.value(Ty::I64, 2), self.value(Ty::Str, 1)]),
            31 => self.show(),
            _ => Node::text(*self.rng.pick(&REQUESTS), Ty::Void),
        };
        out.push(Stmt::Line(line));
    }

    fn conditional(&mut self, depth: usize) -> Stmt {
        let condition = self.condition(self.size.depth);
        let most = self.size.statements;
        let then = self.block(most.div_ceil(2) + 1, depth - 1);
        let otherwise = if self.rng.chance(50) { self.block(most.div_ceil(2), depth - 1) } else { Vec::new() };
        Stmt::If(condition, then, otherwise)
    }

    /// A loop and what has to stand before it.
    fn looped(&mut self, depth: usize, out: &mut Vec<Stmt>) {
        let name = self.fresh();
        let (vars, entries, goes) = (self.vars.len(), self.entries.len(), self.goes_over_maps);
        let head = match self.rng.below(6) {
            0 | 1 => {
                let count = self.rng.below(30);
                self.vars.push((name.clone(), Ty::I64));
                Node::text(format!("for ({name} : 0..{count})"), Ty::Void)
            }
            2 => {
                let ends = vec![self.value(Ty::I64, 1), self.value(Ty::I64, 1)];
                self.vars.push((name.clone(), Ty::I64));
                Node::with(&format!("for ({name} : #..#)"), Ty::Void, ends)
            }
            3 => Node::text(format!("unroll ({})", 1 + self.rng.below(12)), Ty::Void),
            4 => {
                out.push(Stmt::Line(Node::text(format!("{name} = 0"), Ty::Void)));
                self.vars.push((name.clone(), Ty::I64));
                let condition = self.condition(1);
                Node::with(&format!("while ({name}++ < {} && #)", self.rng.below(200)), Ty::Void, vec![condition])
            }
            _ => match self.readable(|map| goes && !map.keys.is_empty() && matches!(map.holds, Holds::Plain(_))) {
                Some(map) => self.over(&map, &name),
                None => Node::text("unroll (2)", Ty::Void),
            },
        };
        self.loops += 1;
        let body = self.block(self.size.statements.div_ceil(2), depth - 1);
        self.loops -= 1;
        self.vars.truncate(vars);
        self.entries.truncate(entries);
        out.push(Stmt::Loop(head, body));
    }

    fn over(&mut self, map: &Map, name: &str) -> Node {
        self.mark_read(map);
        if let Holds::Plain(ty) = map.holds {
            self.entries.push((format!("{name}.1"), ty));
        }
        match map.keys[..] {
            [key] => self.entries.push((format!("{name}.0"), key)),
            _ => self.entries.extend((0..).zip(&map.keys).map(|(at, key)| (format!("{name}.0.{at}"), *key))),
        }
        Node::text(format!("for ({name} : {})", map.name), Ty::Void)
    }

    /// Many strings and numbers in one value.
    fn long_value(&mut self) -> Node {
        let kids: Vec<Node> = (0..1 + self.rng.below(9))
            .map(|_| {
                let ty = *self.rng.pick(&[Ty::I64, Ty::Str, Ty::Pair]);
                self.value(ty, 1)
            })
            .collect();
        let holes = vec!["#"; kids.len()].join(", ");
        let name = self.fresh();
        let template =
            *self.rng.pick(&["print((1, #))", "NAME = (1, #)", "@t_NAME[1, #] = count()", "@u_NAME = (1, #)"]);
        Node::with(&template.replace("NAME", &name).replace("_$", "_").replace('#', &holes), Ty::Void, kids)
    }

    fn assign_some(&mut self) -> Node {
        match self.map(|_| true) {
            Some(map) => self.assign(&map),
            None => self.declare(),
        }
    }

    /// A new scratch variable, or a new value of an old one.
    fn declare(&mut self) -> Node {
        if self.rng.chance(20)
            && let Some(old) = self.variable(|ty| ty != Ty::Bool)
        {
            let value = self.value(old.ty, 2);
            return Node::with("# = #", Ty::Void, vec![old, value]);
        }
        let name = self.fresh();
        let ty = *self.rng.pick(&[Ty::I64, Ty::I64, Ty::I64, Ty::Str, Ty::Pair]);
        let value = self.value(ty, self.size.depth + 1);
        let node = match (self.rng.below(3), ty) {
            (0, Ty::Int { .. }) => {
                let written = numbers::any_type(&mut self.rng);
                Node::with(&format!("let {name}: {} = #", written.name()), Ty::Void, vec![value])
            }
            (1, _) => Node::with(&format!("let {name} = #"), Ty::Void, vec![value]),
            _ => Node::with(&format!("{name} = #"), Ty::Void, vec![value]),
        };
        self.vars.push((name, ty));
        node
    }

    fn operator(&mut self) -> &'static str {
        OPERATORS[self.rng.below(OPERATORS.len())]
    }

    fn change_variable(&mut self) -> Node {
        let Some(variable) = self.variable(|ty| matches!(ty, Ty::Int { .. })) else { return self.declare() };
        let template = self.operator();
        let value = self.value(Ty::I64, 2);
        Node::with(template, Ty::Void, vec![variable, value])
    }

    fn change_map(&mut self) -> Node {
        let number = |map: &Map| matches!(map.holds, Holds::Plain(Ty::Int { .. }));
        let Some(map) = self.map(number) else { return self.declare() };
        let template = self.operator();
        let place = self.entry(&map, "", "", Ty::Void);
        let value = self.value(Ty::I64, 2);
        Node::with(template, Ty::Void, vec![place, value])
    }

    /// `before @m[keys] after` of a map that some statement assigns to.
    fn remove(&mut self, before: &str, after: &str) -> Node {
        let Some(map) = self.map(|_| true) else { return self.declare() };
        self.mark_read(&map);
        self.entry(&map, before, after, Ty::Void)
    }

    /// A map as a table: of numbers and values, not of histograms.
    fn show(&mut self) -> Node {
        let Some(map) = self.map(|map| map.holds.read().is_some()) else { return self.declare() };
        self.mark_read(&map);
        let order = *self.rng.pick(&["", " top 3"]);
        Node::text(format!("show {}{order}", map.name), Ty::Void)
    }

    fn whole(&mut self, template: &str) -> Node {
        let Some(map) = self.map(|_| true) else { return self.declare() };
        self.mark_read(&map);
        Node::with(template, Ty::Void, vec![Node::text(map.name, Ty::Void)])
    }

    /// A look into a map with keys: `find`, `has_key`, `len`.
    fn look(&mut self) -> Node {
        let goes = self.goes_over_maps;
        let Some(map) = self.readable(|map| goes && !map.keys.is_empty()) else {
            return self.declare();
        };
        self.mark_read(&map);
        if self.rng.chance(40) {
            return Node::text(format!("print(len({}))", map.name), Ty::Void);
        }
        let key = self.key_tuple(&map);
        if self.rng.chance(30) {
            return Node::with(&format!("print(has_key({}, #))", map.name), Ty::Void, vec![key]);
        }
        let name = self.fresh();
        Node::with(&format!("if (find({}, #, {name})) {{ print({name}) }}", map.name), Ty::Void, vec![key])
    }

    /// `for ($e : @m) { }`
    fn each_entry(&mut self) -> Node {
        let goes = self.goes_over_maps;
        let Some(map) = self.readable(|map| goes && !map.keys.is_empty()) else {
            return self.declare();
        };
        self.mark_read(&map);
        let name = self.fresh();
        let body = *self.rng.pick(&[
            "print(#)",
            "print(#.1)",
            "printf(\"%d\\n\", sizeof(#.0))",
            "if (pid) { break } print(#)",
        ]);
        let body = body.replace('#', &name);
        Node::text(format!("for ({name} : {}) {{ {body} }}", map.name), Ty::Void)
    }

    fn print(&mut self) -> Node {
        match self.rng.below(7) {
            0 => self.whole("print(#)"),
            1 => match self.map(|map| !map.keys.is_empty()) {
                Some(map) => {
                    self.mark_read(&map);
                    Node::text(format!("print({}, 5, 2)", map.name), Ty::Void)
                }
                None => self.whole("print(#)"),
            },
            2 => self.remove("print(", ")"),
            3 => Node::with("print(#)", Ty::Void, vec![self.value(Ty::Pair, 2)]),
            4 => Node::with("print(#)", Ty::Void, vec![self.value(Ty::Str, 2)]),
            5 => {
                let kids = vec![self.value(Ty::Str, 1), self.value(Ty::Pair, 1), self.value(Ty::I64, 1)];
                Node::with("print((#, #, (1, #)))", Ty::Void, kids)
            }
            _ => {
                let value = self.value(Ty::I64, 3);
                Node::with("print(#)", Ty::Void, vec![value])
            }
        }
    }

    fn printf(&mut self) -> Node {
        let (mut format, mut kids) = (String::new(), Vec::new());
        for _ in 0..self.rng.below(6) {
            let (conversion, ty) = *self.rng.pick(&[
                ("%d", Ty::I64),
                ("%5u", Ty::I64),
                ("%-8lld", Ty::I64),
                ("%#llx", Ty::I64),
                ("%08X", Ty::I64),
                ("%o", Ty::I64),
                ("%p", Ty::I64),
                ("%c", Ty::I64),
                ("%hhd", Ty::I64),
                ("%s", Ty::Str),
                ("%-20.5s", Ty::Str),
                ("%s", Ty::Stack),
                ("%s", Ty::UserStack),
                ("%s", Ty::UserSymbol),
                ("%s", Ty::Str),
            ]);
            format.push_str(conversion);
            format.push(' ');
            kids.push(self.value(ty, 2));
        }
        let mut pieces = vec![", ".to_owned(); kids.len()];
        pieces.insert(0, format!("printf(\"{format}\\n\""));
        pieces[0].push_str(if kids.is_empty() { ")" } else { ", " });
        if !kids.is_empty() {
            pieces.pop();
            pieces.push(")".to_owned());
        }
        Node { op: Op::Text(pieces), ty: Ty::Void, kids }
    }
}
