//! A random well-typed script for a seed and a number.

use super::examples;
use super::numbers::{self, Leaves};
use super::places::{ANYWHERE, FUNCTIONS, PLACES, Place};
use super::rng::Rng;
use super::tree::{Action, Node, Script, Stmt, Ty};

/// What a map of the script holds.
#[derive(Clone, Copy, PartialEq)]
pub enum Holds {
    Plain(Ty),
    /// By what it aggregates, `#` the value.
    Aggregate(&'static str),
}

/// A map of the script.
#[derive(Clone)]
pub struct Map {
    pub name: String,
    pub keys: Vec<Ty>,
    pub holds: Holds,
    pub is_read: bool,
}

impl Holds {
    /// The type of what programs read.
    pub fn read(self) -> Option<Ty> {
        match self {
            Holds::Plain(ty) => Some(ty),
            Holds::Aggregate(function) => NUMBERS.iter().any(|name| function.starts_with(name)).then_some(Ty::I64),
        }
    }
}

/// Aggregations that are numbers.
const NUMBERS: [&str; 5] = ["count", "sum", "avg", "min", "max"];

const AGGREGATES: [&str; 10] = [
    "count()",
    "sum(#)",
    "avg(#)",
    "min(#)",
    "max(#)",
    "stats(#)",
    "hist(#)",
    "hist(#, 3)",
    "lhist(#, 0, 1000, 50)",
    "lhist(#, -50, 50, 5)",
];

/// What generating knows at the place where it is.
pub struct Maker {
    pub rng: Rng,
    place: &'static Place,
    pub maps: Vec<Map>,
    /// Scratch variables in sight.
    pub vars: Vec<(String, Ty)>,
    /// What can be read but not assigned to: entries of maps that a loop goes over.
    pub entries: Vec<(String, Ty)>,
    names: usize,
    /// Whether expressions read maps.
    reads_maps: bool,
    /// Loops around the statement that is made.
    pub loops: usize,
    /// Whether programs go over maps and read aggregations.
    pub goes_over_maps: bool,
    /// How much there is of everything.
    pub size: &'static Size,
}

/// How large a script becomes.
pub struct Size {
    /// Most probes.
    actions: usize,
    /// Most statements of a block.
    pub statements: usize,
    /// Most blocks inside of each other.
    blocks: usize,
    /// Operations inside of each other, in values.
    pub depth: usize,
}

/// In 100 scripts so many are at most this large.
const SIZES: [(usize, Size); 4] = [
    (70, Size { actions: 3, statements: 4, blocks: 2, depth: 2 }),
    (90, Size { actions: 5, statements: 10, blocks: 4, depth: 3 }),
    (96, Size { actions: 24, statements: 5, blocks: 3, depth: 2 }),
    (100, Size { actions: 2, statements: 20, blocks: 3, depth: 4 }),
];
/// Lengths of strings; the default makes keys that old kernels refuse.
const STRING_LENGTHS: [&str; 6] = [
    "max_strlen = 8",
    "max_strlen = 17",
    "max_strlen = 64",
    "max_strlen = 100",
    "max_strlen = 200",
    "max_strlen = 500",
];

/// What a kernel can do, so that not most scripts are refused.
#[derive(Clone, Copy)]
pub struct Abilities {
    /// Its functions can be traced.
    pub functions: bool,
    /// Programs can go over maps, and read what other CPUs counted.
    pub reads_maps: bool,
    /// It verifies a thousand lines soon: emulated processors take minutes for the largest tenth of the scripts.
    pub is_fast: bool,
}

/// Makes a script for a kernel; in one of fifty, what the kernel cannot do is there all the same.
pub fn script(seed: u64, number: u64, abilities: Abilities) -> Script {
    let mut rng = Rng::new(seed, number);
    let dice = rng.below(if abilities.is_fast { 100 } else { SIZES[1].0 });
    let size = SIZES.iter().find(|(below, _)| dice < *below).map_or(&SIZES[0].1, |(_, size)| size);
    let mut maker = Maker {
        rng,
        place: &ANYWHERE,
        maps: Vec::new(),
        vars: Vec::new(),
        entries: Vec::new(),
        names: 0,
        reads_maps: true,
        loops: 0,
        goes_over_maps: true,
        size,
    };
    maker.goes_over_maps = abilities.reads_maps || maker.rng.chance(2);
    maker.invent_maps();
    let mut settings = Vec::new();
    if maker.rng.chance(85) {
        settings.push((*maker.rng.pick(&STRING_LENGTHS)).to_owned());
    }
    let count = 1 + maker.rng.below(size.actions);
    let mut actions: Vec<Action> = (0..count).map(|_| maker.action(abilities.functions)).collect();
    actions.extend(maker.assign_all());
    let count = if maker.goes_over_maps && maker.rng.chance(15) { 1 + maker.rng.below(4) } else { 0 };
    let examples = (0..count).map(|at| examples::any(&mut maker.rng, at)).collect();
    Script { settings, actions, examples }
}

impl Leaves for Maker {
    fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }

    fn leaf(&mut self) -> Node {
        match self.rng.below(11) {
            0..=2 => self.variable(|ty| ty.is_number()),
            3 | 4 => self.read_map(|ty| ty.is_number()),
            5 => self.step(),
            6 => self.entry_of_loop(|ty| ty.is_number()),
            7 => self.function(),
            _ => None,
        }
        .unwrap_or_else(|| {
            let here = self.place.ints;
            let from = if !here.is_empty() && self.rng.chance(60) { here } else { ANYWHERE.ints };
            let (text, bits, signed) = *self.rng.pick(from);
            Node::text(text, Ty::int(bits, signed))
        })
    }
}

impl Maker {
    fn invent_maps(&mut self) {
        for at in 0..2 + self.rng.below(5) {
            let keys = match self.rng.below(8) {
                0 | 1 => vec![],
                2 | 3 => vec![self.key_type()],
                4 | 5 => vec![self.key_type(), self.key_type()],
                6 => vec![Ty::Pair],
                _ if self.rng.chance(50) => vec![Ty::Stack, Ty::Str],
                _ => vec![Ty::UserStack, Ty::UserSymbol],
            };
            let holds = match self.rng.below(10) {
                0..=4 => Holds::Aggregate(AGGREGATES[self.rng.below(AGGREGATES.len())]),
                5..=7 => Holds::Plain(if self.rng.chance(50) { Ty::I64 } else { Ty::U64 }),
                8 => Holds::Plain(Ty::Str),
                _ => Holds::Plain(*self.rng.pick(&[Ty::Pair, Ty::Stack, Ty::UserStack, Ty::UserSymbol])),
            };
            self.maps.push(Map { name: format!("@m{at}"), keys, holds, is_read: false });
        }
    }

    fn key_type(&mut self) -> Ty {
        if self.rng.chance(40) { Ty::Str } else { Ty::I64 }
    }

    fn action(&mut self, functions: bool) -> Action {
        let functions = functions && self.rng.chance(60);
        self.place = self.rng.pick(if functions { FUNCTIONS } else { PLACES });
        self.vars.clear();
        let depth = self.size.depth;
        let predicate = self.rng.chance(30).then(|| self.condition(depth));
        self.entries.clear();
        let (length, depth) = (self.size.statements, self.size.blocks);
        let body = self.block(length, depth);
        Action { probe: self.place.probe.to_owned(), predicate, body, angle: self.rng.chance(25) }
    }

    /// What makes maps known that are read but were never assigned to.
    fn assign_all(&mut self) -> Option<Action> {
        self.place = &PLACES[0];
        self.vars.clear();
        self.reads_maps = false;
        let read: Vec<Map> = self.maps.iter().filter(|map| map.is_read).cloned().collect();
        let body: Vec<Stmt> = read.iter().map(|map| Stmt::Line(self.assign(map))).collect();
        let action = Action { probe: "begin".to_owned(), predicate: None, body, angle: false };
        (!action.body.is_empty()).then_some(action)
    }

    /// A name for a new scratch variable.
    pub fn fresh(&mut self) -> String {
        self.names += 1;
        format!("$v{}", self.names)
    }

    /// A scratch variable whose type passes.
    pub fn variable(&mut self, fits: impl Fn(Ty) -> bool) -> Option<Node> {
        let fitting: Vec<(String, Ty)> = self.vars.iter().filter(|(_, ty)| fits(*ty)).cloned().collect();
        let (name, ty) = (!fitting.is_empty()).then(|| self.rng.pick(&fitting).clone())?;
        Some(Node::text(name, ty))
    }

    /// A part of the entry that a loop is at.
    fn entry_of_loop(&mut self, fits: impl Fn(Ty) -> bool) -> Option<Node> {
        let fitting: Vec<(String, Ty)> = self.entries.iter().filter(|(_, ty)| fits(*ty)).cloned().collect();
        let (name, ty) = (!fitting.is_empty()).then(|| self.rng.pick(&fitting).clone())?;
        Some(Node::text(name, ty))
    }

    /// A function of other things than numbers that gives one.
    fn function(&mut self) -> Option<Node> {
        let node = match self.rng.below(4) {
            0 => Node::with("strlen(#)", Ty::U64, vec![self.string(1)]),
            1 | 2 => {
                let kids = vec![self.string(1), self.string(0)];
                Node::with(&format!("strncmp(#, #, {})", 1 + self.rng.below(40)), Ty::U64, kids)
            }
            _ => {
                let reads = self.reads_maps;
                let map = self.map(|map| reads && map.keys.len() == 1)?;
                self.mark_read(&map);
                let key = self.value(map.keys[0], 1);
                Node::with(&format!("has_key({}, #)", map.name), Ty::Bool, vec![key])
            }
        };
        Some(node)
    }

    /// A map whose content passes.
    pub fn map(&mut self, fits: impl Fn(&Map) -> bool) -> Option<Map> {
        let fitting: Vec<usize> = (0..self.maps.len()).filter(|at| fits(&self.maps[*at])).collect();
        let at = (!fitting.is_empty()).then(|| *self.rng.pick(&fitting))?;
        Some(self.maps[at].clone())
    }

    /// Remembers that the script must assign to this map somewhere.
    pub fn mark_read(&mut self, map: &Map) {
        self.maps.iter_mut().filter(|known| known.name == map.name).for_each(|known| known.is_read = true);
    }

    /// A map whose values programs of the kernel can read and whose content passes.
    pub fn readable(&mut self, fits: impl Fn(&Map) -> bool) -> Option<Map> {
        let all = self.goes_over_maps;
        self.map(|map| fits(map) && map.holds.read().is_some() && (all || matches!(map.holds, Holds::Plain(_))))
    }

    fn read_map(&mut self, fits: impl Fn(Ty) -> bool) -> Option<Node> {
        let reads = self.reads_maps;
        let map = self.readable(|map| reads && map.holds.read().is_some_and(&fits))?;
        let ty = map.holds.read()?;
        self.mark_read(&map);
        Some(self.entry(&map, "", "", ty))
    }

    /// `@m++`, `--$v`
    pub fn step(&mut self) -> Option<Node> {
        let (before, after) = *self.rng.pick(&[("++", ""), ("--", ""), ("", "++"), ("", "--")]);
        let number = |ty: Ty| matches!(ty, Ty::Int { bits: 64, .. });
        if self.rng.chance(50)
            && let Some(variable) = self.variable(number)
        {
            let ty = variable.ty;
            return Some(Node::with(&format!("({before}#{after})"), ty, vec![variable]));
        }
        let reads = self.reads_maps;
        let map = self.map(|map| reads && matches!(map.holds, Holds::Plain(ty) if number(ty)))?;
        let Holds::Plain(ty) = map.holds else { return None };
        Some(self.entry(&map, &format!("({before}"), &format!("{after})"), ty))
    }

    /// `before @m[keys] after`
    pub fn entry(&mut self, map: &Map, before: &str, after: &str, ty: Ty) -> Node {
        if map.keys.is_empty() {
            return Node::text(format!("{before}{}{after}", map.name), ty);
        }
        let kids: Vec<Node> = map.keys.clone().into_iter().map(|key| self.value(key, 1)).collect();
        let holes = vec!["#"; kids.len()].join(", ");
        Node::with(&format!("{before}{}[{holes}]{after}", map.name), ty, kids)
    }

    /// A key of this map, as functions take it.
    pub fn key_tuple(&mut self, map: &Map) -> Node {
        let kids: Vec<Node> = map.keys.clone().into_iter().map(|ty| self.value(ty, 1)).collect();
        if kids.len() == 1 {
            return Node::with("#", Ty::Void, kids);
        }
        let holes = vec!["#"; kids.len()].join(", ");
        Node::with(&format!("({holes})"), Ty::Void, kids)
    }

    /// A value of this type.
    pub fn value(&mut self, ty: Ty, depth: usize) -> Node {
        match ty {
            Ty::Str => self.string(depth),
            Ty::Pair => self.pair(depth),
            Ty::Stack => Node::text("kstack", Ty::Stack),
            Ty::UserStack => Node::text("ustack", Ty::UserStack),
            Ty::UserSymbol => {
                let address = self.value(Ty::I64, depth.min(1));
                Node::with("usym(#)", Ty::UserSymbol, vec![address])
            }
            _ => {
                let number = numbers::number(self, depth);
                if number.ty == Ty::Bool { number.cast(ty) } else { number }
            }
        }
    }

    pub fn condition(&mut self, depth: usize) -> Node {
        match self.rng.below(7) {
            6 => {
                let stacks = &["kstack", "kstack(perf, 2)", "ustack", "ustack(raw, 7)", "kstack(0)"];
                let (left, right) = (*self.rng.pick(stacks), *self.rng.pick(stacks));
                Node::text(format!("({left} == {right})"), Ty::Bool)
            }
            0 | 1 => {
                let (left, right) = (self.string(1), self.string(0));
                let template = *self.rng.pick(&["(# == #)", "(# != #)"]);
                Node::with(template, Ty::Bool, vec![left, right])
            }
            2 => numbers::number(self, depth),
            _ => numbers::condition(self, depth),
        }
    }

    pub fn string(&mut self, depth: usize) -> Node {
        match self.rng.below(12) {
            0 | 1 => {
                Node::text(*self.rng.pick(&["\"\"", "\"dd\"", "\"bash\"", "\"a longer text of a script\""]), Ty::Str)
            }
            5 => self.entry_of_loop(|ty| ty == Ty::Str).unwrap_or_else(|| Node::text("probe", Ty::Str)),
            2 => self.variable(|ty| ty == Ty::Str).unwrap_or_else(|| Node::text("comm", Ty::Str)),
            3 => self.read_map(|ty| ty == Ty::Str).unwrap_or_else(|| Node::text("comm", Ty::Str)),
            4 if depth > 0 => {
                let kids = vec![self.condition(1), self.string(depth - 1), self.string(depth - 1)];
                Node::with("(# ? # : #)", Ty::Str, kids)
            }
            6 => match self.variable(|ty| ty == Ty::Pair) {
                Some(pair) => Node::with("#.1", Ty::Str, vec![pair]),
                None => Node::text("comm", Ty::Str),
            },
            _ => {
                let here = self.place.strings;
                let from = if !here.is_empty() && self.rng.chance(70) { here } else { ANYWHERE.strings };
                Node::text(*self.rng.pick(from), Ty::Str)
            }
        }
    }

    fn pair(&mut self, depth: usize) -> Node {
        let known = if self.rng.chance(30) { self.variable(|ty| ty == Ty::Pair) } else { None };
        known.unwrap_or_else(|| {
            let kids = vec![self.value(Ty::I64, depth.min(1)), self.string(depth.min(1))];
            Node::with("(#, #)", Ty::Pair, kids)
        })
    }

    /// An assignment to a map of what it holds.
    pub fn assign(&mut self, map: &Map) -> Node {
        match map.holds {
            Holds::Plain(ty) => {
                let place = self.entry(map, "", "", ty);
                let value = self.value(ty, self.size.depth);
                Node::with("# = #", Ty::Void, vec![place, value])
            }
            Holds::Aggregate(function) => {
                let place = self.entry(map, "", "", Ty::Void);
                let mut kids = vec![place];
                if function.contains('#') {
                    kids.push(self.value(Ty::I64, self.size.depth));
                }
                Node::with(&format!("# = {function}"), Ty::Void, kids)
            }
        }
    }
}
