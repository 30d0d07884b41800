"""Which cells and tests of a notebook a changed answer can influence, read from the names in its cells.

The author's gate runs a notebook once for each wrong answer. Most answers define a function that one test calls, and
need no network that another task trains. So a variant of the solution is run as far as its change reaches:

- A change reaches a later cell or test that uses a name which it may have changed, and goes on from there. A cell may
  change the names that it binds and those that it changes in place: ``x[0] = ...``, ``x.rate = ...``, ``x.sort()``,
  ``shuffle(x)`` as a statement, ``train(x)`` with a function of the notebook that does one of these. A changed cell
  may do it to whatever it hands to a function. Names bound by the same cell count as one, since they may be views of
  one array.
- What is reached needs the cells that make or change the names it uses, and so do they.

Everything else would run as in the solution, and is left out. Names say nothing about the global random generators:
a cell that draws from them without a seed of its own can come out differently when an earlier cell is left out.
Where names cannot be read (``eval``, ``globals()``, a magic with code in it), nothing is left out.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

#: Ways to reach a name without writing it.
_BLIND = {"eval", "exec", "globals", "locals", "vars", "get_ipython", "__import__"}
_ONLY_SHOW = {"print", "display"}
#: Methods of arrays, texts, dictionaries and models that change nothing.
_ONLY_READ = frozenset(
    """
    all any argmax argmin argsort astype clip copy cumprod cumsum diagonal dot flatten max mean min nonzero prod ravel
    repeat reshape round squeeze std sum swapaxes take tobytes tolist transpose var view
    format join split strip items keys values get
    count_params evaluate get_weights numpy predict summary
    """.split()  # noqa: SIM905 - to be read as a table
)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_IMMUTABLE = (ast.Constant, ast.UnaryOp, ast.BinOp, ast.operator, ast.unaryop, ast.Tuple, ast.Load)


class Unreadable(Exception):
    """The names of a cell do not say what it uses."""


@dataclass
class Names:
    """How one piece of code uses the names of the notebook.

    Attributes
    ----------
    used : set of str
        Needed from elsewhere: used before the code itself binds them.
    later : set of str
        Those of `used` that functions use, so at the time of their call.
    bound : set of str
    fixed : set of str
        Those of `bound` that nothing can change in place: imports, functions, classes, numbers, strings.
    changed : set of str
        Changed in place.
    calls : list of Call
    gentle : set of str
        Functions in which no statement changes anything in place, so that they leave their arguments alone.
    """

    used: set[str] = field(default_factory=set)
    later: set[str] = field(default_factory=set)
    bound: set[str] = field(default_factory=set)
    fixed: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    calls: list[Call] = field(default_factory=list)
    gentle: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, *sources: str) -> Names:
        """Read code; of several versions of one cell, what any of them does.

        Parameters
        ----------
        *sources : str

        Raises
        ------
        Unreadable
            If a version is no Python, or gets at names in other ways.

        Examples
        --------
        >>> names = Names.of("model = build(width)\\nmodel.fit(images)")
        >>> sorted(names.used), sorted(names.bound), sorted(names.changed)
        (['build', 'images', 'width'], ['model'], ['model'])
        """
        whole, rough = cls(), set()
        for source in sources:
            reader = _Reader()
            reader.read(source)
            for name in ("used", "later", "bound", "fixed", "changed"):
                getattr(whole, name).update(getattr(reader.names, name))
            whole.calls += reader.names.calls
            whole.gentle |= reader.names.gentle
            rough |= reader.names.bound - reader.names.gentle
            whole.fixed -= reader.names.bound - reader.names.fixed
        whole.gentle -= rough
        return whole


@dataclass(frozen=True)
class Call:
    """A call of a function.

    Attributes
    ----------
    root : str
        The name that the function is reached by: ``np`` of ``np.random.shuffle``; "" if there is none.
    is_plain : bool
        Whether the root is the function itself.
    is_statement : bool
        Whether nobody looks at what the function returns, so that it is called for what it does.
    arguments : frozenset of str
        Names in its arguments.
    """

    root: str
    is_plain: bool
    is_statement: bool
    arguments: frozenset[str]


class _Reader(ast.NodeVisitor):
    """Walks through code in the order in which it runs."""

    def __init__(self):
        self.names = Names()
        self._local: list[set[str]] = []
        self._n_functions = 0
        self._statement: ast.expr | None = None

    def read(self, source: str) -> None:
        if any(line.lstrip().startswith(("%", "!")) for line in source.split("\n")):
            raise Unreadable("a magic")
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError) as error:
            raise Unreadable(str(error)) from None
        for statement in tree.body:
            self.visit(statement)

    def _is_local(self, name):
        return any(name in names for names in self._local)

    def _bind(self, name, *, fixed=False):
        if self._is_local(name):
            return
        self.names.bound.add(name)
        if fixed:
            self.names.fixed.add(name)
        else:
            self.names.fixed.discard(name)

    def visit_Name(self, node):
        if node.id in _BLIND:
            raise Unreadable(node.id)
        if not isinstance(node.ctx, ast.Load):
            self._bind(node.id)
        elif not self._is_local(node.id) and node.id not in self.names.bound:
            self.names.used.add(node.id)
            if self._n_functions:
                self.names.later.add(node.id)

    # A value is computed before its name is bound.

    def visit_Assign(self, node):
        self.visit(node.value)
        fixed = all(isinstance(part, _IMMUTABLE) for part in ast.walk(node.value))
        for target in node.targets:
            if isinstance(target, ast.Name):
                self._bind(target.id, fixed=fixed)
            else:
                self._store(target)

    def visit_AnnAssign(self, node):
        if node.value is not None:
            self.visit(node.value)
            self._store(node.target)

    def visit_AugAssign(self, node):
        self.visit(node.value)
        if isinstance(node.target, ast.Name):
            self.visit(ast.Name(node.target.id, ast.Load()))
            self._change(node.target)  # an array stays the same one
        self._store(node.target)

    def visit_NamedExpr(self, node):
        self.visit(node.value)
        self.visit(node.target)

    def visit_For(self, node):
        self.visit(node.iter)
        self._store(node.target)
        for statement in (*node.body, *node.orelse):
            self.visit(statement)

    visit_AsyncFor = visit_For

    def visit_Delete(self, node):
        for target in node.targets:
            self._store(target)

    def _store(self, target):
        if isinstance(target, (ast.Tuple, ast.List)):
            for part in target.elts:
                self._store(part)
        elif isinstance(target, ast.Starred):
            self._store(target.value)
        else:
            self.visit(target)
            if not isinstance(target, ast.Name):
                self._change(target)

    def _change(self, expression):
        while isinstance(expression, (ast.Attribute, ast.Subscript, ast.Starred, ast.Call)):
            expression = expression.func if isinstance(expression, ast.Call) else expression.value
        if isinstance(expression, ast.Name) and not self._is_local(expression.id):
            self.names.changed.add(expression.id)

    def visit_Call(self, node):
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr not in _ONLY_READ:
            self._change(node.func.value)
        root = node.func
        while isinstance(root, (ast.Attribute, ast.Subscript)):
            root = root.value
        function = root.id if isinstance(root, ast.Name) else ""
        parts = [part for one in (*node.args, *node.keywords) for part in ast.walk(one)]
        arguments = {part.id for part in parts if isinstance(part, ast.Name) and not self._is_local(part.id)}
        is_statement = node is self._statement and function not in _ONLY_SHOW
        self.names.calls.append(Call(function, root is node.func, is_statement, frozenset(arguments)))

    def visit_Expr(self, node):
        self._statement = node.value
        self.visit(node.value)

    # Imports, functions, classes and other scopes.

    def visit_Import(self, node):
        for alias in node.names:
            if alias.name == "*":
                raise Unreadable("import *")
            self._bind((alias.asname or alias.name).split(".")[0], fixed=True)

    visit_ImportFrom = visit_Import

    def visit_Global(self, node):
        self.names.bound.update(node.names)

    def visit_FunctionDef(self, node):
        for part in (*node.decorator_list, node.args):
            self.visit(part)
        self._bind(node.name, fixed=True)
        if not self._local:
            (self.names.gentle.add if _is_gentle(node) else self.names.gentle.discard)(node.name)
        self._in_scope(node, node.body)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node):
        self.visit(node.args)
        self._in_scope(node, [node.body])

    def visit_arg(self, node):
        pass  # an annotation computes nothing that anybody uses

    def visit_ClassDef(self, node):
        for part in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(part)
        self._bind(node.name, fixed=True)
        self._in_scope(node, node.body)

    def _in_scope(self, node, body):
        given = getattr(node, "args", None)
        local = {part.arg for part in ast.walk(given) if isinstance(part, ast.arg)} if given else set()
        for statement in body:
            local |= _bound_inside(statement)
        self._local.append(local)
        self._n_functions += 1
        for statement in body:
            self.visit(statement)
        self._n_functions -= 1
        self._local.pop()

    def visit_ListComp(self, node):
        self._local.append(
            {
                part.id
                for generator in node.generators
                for part in ast.walk(generator.target)
                if isinstance(part, ast.Name)
            }
        )
        for generator in node.generators:
            self.visit(generator.iter)
            for condition in generator.ifs:
                self.visit(condition)
        for part in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
            self.visit(part)
        self._local.pop()

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp


def _is_gentle(function) -> bool:
    for node in ast.walk(function):
        if isinstance(node, (ast.AugAssign, ast.Delete, ast.Global)):
            return False
        if isinstance(node, (ast.Subscript, ast.Attribute)) and not isinstance(node.ctx, ast.Load):
            return False
        if isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant):
            return False  # called for what it does
    return True


def _bound_inside(statement) -> set[str]:
    """Names that a statement of a function or a class binds in it."""
    bound, outer, waiting = set(), set(), [statement]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            bound.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            outer.update(node.names)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            bound.add(node.name)
            waiting += ast.iter_child_nodes(node)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.add(node.id)
        elif not isinstance(node, (ast.Lambda, *_COMPREHENSIONS)):
            waiting += ast.iter_child_nodes(node)
    return bound - outer


def cells_to_run(cells, answers: dict[str, str], *, also: tuple[str, ...] = ()) -> set[int]:
    """Choose the cells that show all that other answers change.

    Parameters
    ----------
    cells : list of nbformat.NotebookNode
        Of the author's notebook with its solutions, with nbgrader's metadata.
    answers : dict of str to str
        The answers to run instead of the solutions, by grade id.
    also : tuple of str
        Grade ids of tests to make in any case.

    Returns
    -------
    set of int
        Positions of code cells, tests included. All of them if a cell cannot be read.

    Examples
    --------
    >>> from nbformat.v4 import new_code_cell
    >>> answer = {"grade_id": "a", "grade": False, "solution": True}
    >>> test = {"grade_id": "b", "grade": True, "solution": False}
    >>> cells = [new_code_cell("def twice(x):\\n    return 2 * x", metadata={"nbgrader": answer}),
    ...     new_code_cell("assert twice(3) == 6", metadata={"nbgrader": test}),
    ...     new_code_cell("assert True", metadata={"nbgrader": {**test, "grade_id": "c"}})]
    >>> cells_to_run(cells, {"a": "def twice(x):\\n    return x"})
    {0, 1}
    """
    code = {place: cell for place, cell in enumerate(cells) if cell.cell_type == "code"}
    new = {
        place: answers[_grade_id(cell)]
        for place, cell in code.items()
        if answers.get(_grade_id(cell), cell.source) != cell.source
    }
    try:
        names = {place: Names.of(cell.source, *([new[place]] if place in new else [])) for place, cell in code.items()}
    except Unreadable:
        return set(code)
    tests = {place for place, cell in code.items() if _is_test(cell)}
    notebook = _Notebook(names, tests)
    kept = notebook.reached(set(new)) | {place for place in tests if _grade_id(code[place]) in also}
    kept = notebook.with_needs(kept)
    # What the author gives (seeds, settings) runs wherever it can.
    given = {place for place, cell in code.items() if place not in tests and not _grading(cell).get("solution")}
    absent = set().union(*(names[place].bound for place in set(code) - kept - given - tests))
    absent -= set().union(*(names[place].bound for place in kept - tests))
    return notebook.with_needs(kept | {place for place in given if not names[place].used & absent})


def _grading(cell):
    return cell.metadata.get("nbgrader") or {}


def _grade_id(cell):
    return _grading(cell).get("grade_id", "")


def _is_test(cell):
    return bool(_grading(cell).get("grade")) and not _grading(cell).get("solution")


class _Notebook:
    """What the cells, without the tests, do to each other's names."""

    def __init__(self, names: dict[int, Names], tests: set[int]):
        self.names, self.tests = names, tests
        self.plain = set(names) - tests
        self.bound = set().union(*(names[place].bound for place in self.plain))
        loose = set().union(*(names[place].bound - names[place].fixed for place in self.plain))
        #: Bound to what nothing can change in place.
        self.fixed = self.bound - loose
        self.gentle = set().union(*(names[place].gentle for place in self.plain))
        self.gentle -= set().union(*(names[place].bound - names[place].gentle for place in self.plain))

    def changed_in_place(self, place: int, *, suspects: set[str] = frozenset(), changed: bool = False) -> set[str]:
        """Names that a cell may change without binding them; `suspects` may be other functions than in the solution."""
        cell = self.names[place]
        found = set(cell.changed)
        for call in cell.calls:
            on_purpose = call.is_statement and (call.is_plain or call.root in self.fixed)
            on_purpose = on_purpose and call.root not in self.gentle
            own = call.is_plain and call.root in self.bound - self.gentle
            if on_purpose or own or changed or call.root in suspects - self.gentle:
                found |= call.arguments
        return self.with_views((found & self.bound) - self.fixed)

    def with_views(self, names: set[str]) -> set[str]:
        """Add what the same cell binds: it may be a view of the same array."""
        together = [self.names[place].bound - self.names[place].fixed for place in self.plain]
        return names.union(*(loose for loose in together if loose & names))

    def reached(self, changed: set[int]) -> set[int]:
        """Cells and tests that can see another value of a name, the changed cells among them."""
        first = min(changed, default=0)
        reached, affected, private = set(changed), set(), set()
        before = None
        while before != (before := (len(reached), len(affected), len(private))):
            for place, cell in sorted(self.names.items()):
                if place in self.tests:
                    # What a test binds stays among the tests, and what it hands over are copies.
                    if place > first and cell.used & (affected | private):
                        reached.add(place)
                        private |= cell.bound
                    continue
                # A function before the change uses what is there when it is called.
                if (cell.used if place > first else cell.later) & affected:
                    reached.add(place)
                if place in reached:
                    affected |= cell.bound
                    affected |= self.changed_in_place(place, suspects=affected, changed=place in changed)
        return reached

    def with_needs(self, kept: set[int]) -> set[int]:
        """Add the cells that make what the kept ones use."""
        kept = set(kept)
        while True:
            last = max(kept, default=-1)
            used = set().union(*(self.names[place].used for place in kept))
            by_tests = set().union(*(self.names[place].used for place in kept & self.tests))
            for place, cell in self.names.items():
                if place in self.tests:
                    needed = bool(cell.bound & by_tests)
                else:
                    needed = bool((cell.bound | self.changed_in_place(place)) & used)
                if needed and place < last:
                    kept.add(place)
            if used == set().union(*(self.names[place].used for place in kept)):
                return kept
