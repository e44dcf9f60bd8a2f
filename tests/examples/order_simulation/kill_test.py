#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Claims: whenever the process is killed, no acknowledged order is missing and none is there twice, and the resumed run ends
with exact stock, money and answers. Observed: the order simulation is ended by SIGKILL again and again, at random points of
its start, its recovery and its work. After each kill the SQLite tables are read directly and held against the file of
acknowledgements, which was written before anything followed from an answer.

usage: kill_test.py --program P --sample CSV --directory D [--kills N] [--seed S] [--data CSV]
"""

import argparse
import collections
import csv
import fcntl
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

SHOP = ["--scenario", "marketplace", "--customers", "300", "--sellers", "20", "--concurrency", "24", "--quiet"]
OPENING = 10_000
RUN_KILLS = 40  # of one marketplace; each look reads its whole journal
PAID, DELIVERED = 1, 4


class Broken(Exception):
    pass


def require(holds, what):
    if not holds:
        raise Broken(what)


copied = {}  # path: what its files were like


def fresh_copy(journal):
    copy, ends = journal + ".read", ("", "-wal", "-journal")
    now = [(s.st_mtime_ns, s.st_size) for s in (os.stat(journal + e) for e in ends if os.path.exists(journal + e))]
    if copied.get(journal) == now:
        return copy
    for end in (*ends, "-shm"):
        if os.path.exists(copy + end):
            os.remove(copy + end)
    for end in ends:
        if os.path.exists(journal + end):
            shutil.copyfile(journal + end, copy + end)
    copied[journal] = now
    return copy


def rows(journal, where, *values):
    """Events in their order, read from the tables as docs/reference/journal.md describes them. From a copy: what a killed
    process has left half done is put right by whoever opens the file, and that is to be the resumed process."""
    if not os.path.exists(journal):
        return []
    base = sqlite3.connect(fresh_copy(journal))
    try:
        found = base.execute(
            f"SELECT journal, sequence, type, data FROM events WHERE {where} ORDER BY journal, sequence", values
        ).fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return []  # killed before there was one
        raise
    finally:
        base.close()
    return [(key, number, kind, json.loads(data)) for key, number, kind, data in found]


def between(prefix):
    return "journal >= ? AND journal < ?", prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1)


class Runs:
    """Starts the program, and kills it."""

    def __init__(self, options, dice):
        self.program, self.dice, self.kills = options.program, dice, 0

    def go(self, arguments, after=None, wait=None):
        """True: it was killed. `after` acknowledged orders, or `wait` seconds, or not at all."""
        command = [self.program, *arguments] + (["--kill-after", str(after)] if after else [])
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if wait is not None:
            time.sleep(wait)
            process.send_signal(signal.SIGKILL)
        try:
            out, errors = process.communicate(timeout=300)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise Broken("does not end: " + " ".join(command))
        if process.returncode == -signal.SIGKILL:
            self.kills += 1
            if self.kills % 25 == 0:
                print(f"{self.kills} kills", flush=True)
            return True
        require(process.returncode == 0, f"{' '.join(command)} ended with {process.returncode}:\n{errors}{out}")
        return False


# -- the marketplace -------------------------------------------------------------------------------------------------


def invoice_of(lines):
    total = 0
    for l in lines:
        goods = l["unit_price"] * l["quantity"]
        total += goods - min(l["voucher"], goods) + l["freight"]
    return total


class Shop:
    """What the journals say of orders, and what the customers were told."""

    def __init__(self, journal, acknowledged):
        self.journal = journal
        self.orders = {}  # by transaction: [customer, number, lines, statuses]
        for key, _, kind, e in rows(journal, *between("order/")):
            customer = int(key.split("/")[1])
            if kind == "order_invoiced":
                require(e["tid"] not in self.orders, f"transaction {e['tid']} has two orders")
                self.orders[e["tid"]] = [customer, 0, e["lines"], [0]]
        self.number_orders()
        self.told = {}
        if os.path.exists(acknowledged):
            for line in open(acknowledged):
                _, tid, *rest = line.split()
                answer = tuple(map(int, rest))
                require(self.told.setdefault(int(tid), answer) == answer, f"transaction {tid} was answered in two ways")

    def number_orders(self):
        self.by_number = {}
        counts = collections.Counter()
        for key, _, kind, e in rows(self.journal, *between("order/")):
            customer = int(key.split("/")[1])
            if kind == "order_invoiced":
                counts[customer] += 1
                self.orders[e["tid"]][1] = counts[customer]
                self.by_number[customer, counts[customer]] = e["tid"]
            elif kind == "order_progressed":
                self.orders[self.by_number[customer, e["number"]]][3].append(e["status"])

    def paid(self):
        return {tid: o for tid, o in self.orders.items() if PAID in o[3]}

    def check_told(self):
        paid = self.paid()
        settled, payments = collections.Counter(), collections.Counter()
        for key, _, kind, e in rows(self.journal, *between("stock/")):
            if kind == "reservation_settled" and e["confirmed"]:
                settled[key, e["tid"]] += 1
        for _, _, kind, e in rows(self.journal, *between("payment/")):
            if kind == "payment_made":
                payments[tuple(e["order"])] += 1
        for tid, (customer, number, cents) in self.told.items():
            require(tid in paid, f"the acknowledged order of transaction {tid} is missing")
            o = paid[tid]
            require((o[0], o[1]) == (customer, number), f"transaction {tid}: {o[:2]} is not {customer, number}")
            require(invoice_of(o[2]) == cents, f"transaction {tid}: {invoice_of(o[2])} is not {cents} cents")
            require(o[3].count(PAID) == 1 and payments[customer, number] == 1, f"transaction {tid} is not paid once")
            for l in o[2]:
                require(settled[f"stock/{l['item'][0]}/{l['item'][1]}", tid] == 1, f"transaction {tid}: stock not taken once")

    def check_end(self):
        """At the end of the run everything is exact, and every paid order was acknowledged."""
        self.check_told()
        paid = self.paid()
        require(set(paid) == set(self.told), "paid orders and acknowledged orders differ")
        sold, confirmed, held = collections.Counter(), collections.Counter(), {}
        for o in paid.values():
            for l in o[2]:
                sold[f"stock/{l['item'][0]}/{l['item'][1]}"] += l["quantity"]
        for key, _, kind, e in rows(self.journal, *between("stock/")):
            if kind == "units_reserved":
                held[key, e["tid"]] = e["quantity"]
            elif kind == "reservation_settled":
                units = held.pop((key, e["tid"]), 0)
                confirmed[key] += units if e["confirmed"] else 0
        require(not held, f"units stay reserved: {list(held)[:3]}")
        require(+sold == +confirmed, "units sold by orders and by stocks differ")
        require(all(n <= OPENING for n in confirmed.values()), "a product is oversold")
        total = sum(invoice_of(o[2]) for o in paid.values())
        by_payment = sum(e["amount"] for _, _, k, e in rows(self.journal, *between("payment/")) if k == "payment_made")
        by_provider = sum(e["taken"] for _, _, k, e in rows(self.journal, *between("provider/")) if k == "charge_decided")
        spent = sum(e["amount"] for _, _, k, e in rows(self.journal, *between("customer/"))
                    if k == "purchase_noted" and e["paid"])
        require(total == by_payment == by_provider == spent, f"money: {total}, {by_payment}, {by_provider}, {spent}")
        for tid, o in paid.items():
            require(o[3] == sorted(set(o[3])), f"transaction {tid}: steps {o[3]}")
        return len(paid), sum(DELIVERED in o[3] for o in paid.values())


def marketplace(runs, folder, kills, rate):
    journal, told = os.path.join(folder, "journal"), os.path.join(folder, "told")
    common = [*SHOP, "--journal", journal, "--acknowledged", told, "--crash-rate", rate]
    database = os.path.join(journal, "journal.db")
    began = runs.kills
    while runs.kills - began < kills:
        resume = ["--resume"] if rows(database, "journal = 'run'") else []
        if not resume:
            shutil.rmtree(journal, ignore_errors=True)
        if runs.dice.random() < 0.5:
            killed = runs.go([*common, *resume, "--duration", "1h"], after=runs.dice.randint(1, 120))
        else:
            killed = runs.go([*common, *resume, "--duration", "1h"], wait=runs.dice.uniform(0.01, 0.6))
        require(killed, "ended by itself")
        Shop(database, told).check_told()
    runs.go([*common, "--resume", "--duration", "300ms"])
    paid, delivered = Shop(database, told).check_end()
    print(f"marketplace, crash rate {rate}: {kills} kills, {paid} orders acknowledged, {delivered} delivered: exact", flush=True)


# -- the replay ------------------------------------------------------------------------------------------------------


def milli(price, quantity):
    sign, digits = (-1, price[1:]) if price.startswith("-") else (1, price)
    whole, _, part = digits.partition(".")
    return sign * quantity * (int(whole or 0) * 1000 + int((part + "000")[:3]))


def oracle(log, by_line, opening):
    """The answers that the rules force, in one thread: by row or by number of the order, and the stock at the end."""
    stock, answers, amount = {}, {}, 0
    orders = []
    for i, r in enumerate(log):
        stock.setdefault(r["StockCode"], opening)
        if by_line or not orders or orders[-1][0][1]["InvoiceNo"] != r["InvoiceNo"]:
            orders.append([])
        orders[-1].append((i, r))
    for number, order in enumerate(orders):
        wanted = collections.Counter()
        value = 0
        for _, r in order:
            q = int(r["Quantity"])
            if q <= 0:
                stock[r["StockCode"]] -= q
            else:
                wanted[r["StockCode"]] += q
                value += milli(r["UnitPrice"], q)
        if not wanted:
            continue
        accepted = all(stock[c] >= q for c, q in wanted.items())
        answers[order[0][0] if by_line else number] = accepted
        if accepted:
            amount += value
            for c, q in wanted.items():
                stock[c] -= q
    return answers, stock, amount


def replay(runs, folder, log_file, rule, opening, rate, longest):
    """One run of the log, killed until it ends."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    with open(log_file, encoding="utf-8", newline="") as f:
        log = list(csv.DictReader(f))
    answers, stock, amount = oracle(log, rule == "line", opening)
    journal, told, report = (os.path.join(folder, n) for n in ("journal", "told", "report.json"))
    common = ["--scenario", "replay", "--input", log_file, "--rule", rule, "--opening-stock", str(opening), "--quiet",
              "--journal", journal, "--acknowledged", told, "--crash-rate", rate, "--report", report]
    database = os.path.join(journal, "journal.db")
    before = runs.kills
    killed = True
    while killed:
        resume = ["--resume"] if rows(database, "journal = 'run'") else []
        if not resume:
            shutil.rmtree(journal, ignore_errors=True)
        if runs.dice.random() < 0.6:
            killed = runs.go([*common, *resume], after=runs.dice.randint(1, max(1, len(answers) // longest)))
        else:
            killed = runs.go([*common, *resume], wait=runs.dice.uniform(0.01, 0.1) if longest > 5 else runs.dice.uniform(0.5, 4))
        check_replay_told(database, told, answers, rule, log)
    found = json.load(open(report))["replay"]
    word = "lines" if rule == "line" else "orders"
    yes = sum(answers.values())
    require(found["accepted_" + word] == yes and found["rejected_" + word] == len(answers) - yes, f"{rule}: {found}")
    require(found["accepted_amount_milli"] == amount, f"{rule}: amount {found['accepted_amount_milli']}, not {amount}")
    require(found["final_total_available"] == sum(stock.values()), f"{rule}: {found['final_total_available']}")
    return runs.kills - before, found


def check_replay_told(database, told, answers, rule, log):
    booked = {}
    kind = "line_booked" if rule == "line" else "order_decided"
    for key, _, k, e in rows(database, *between("stock/")):
        if k != kind:
            continue
        at = (e["row"] if rule == "line" else (key, e["order"]))
        require(at not in booked, f"{at} is in the journal twice")
        booked[at] = e["accepted"]
    decided = booked if rule == "line" else {o: a for (_, o), a in booked.items()}
    for at, accepted in decided.items():
        require(at not in answers or answers[at] == accepted, f"{at} was decided wrongly")
    if os.path.exists(told):
        for line in open(told):
            _, at, verdict = line.split()
            require(int(at) in decided, f"the acknowledged {line.strip()} is missing")
            require(decided[int(at)] == (verdict == "accepted"), f"the acknowledged {line.strip()} is otherwise in the journal")


# -- the flash sale --------------------------------------------------------------------------------------------------


SALE_ORDERS, SALE_RATE = 4000, 3000
F_SETPIPE_SZ = 1031  # Linux; fcntl has it since Python 3.10


def check_sale(database, told, over):
    """No order has units twice, whoever was told has them, and no product is oversold. `over`: and the other way round."""
    held, sold = {}, set()
    taken = collections.Counter()
    for key, _, kind, e in rows(database, *between("stock/")):
        if kind == "units_held":
            require(e["order"] not in held, f"units are held twice for order {e['order']}")
            held[e["order"]] = e["quantity"]
            taken[key] += e["quantity"]
        elif kind == "units_sold":
            require(e["order"] in held and e["order"] not in sold, f"order {e['order']} is sold twice, or was never held")
            sold.add(e["order"])
    for key, units in taken.items():
        require(not key.startswith("stock/product-") or units <= SALE_ORDERS // 50, f"{key} is oversold: {units}")
    answers = {}
    if os.path.exists(told):
        for line in open(told):
            _, order, units = line.split()
            require(answers.setdefault(int(order), int(units)) == int(units), f"order {order} was answered in two ways")
    for order, units in answers.items():
        require(held.get(order) == units, f"the acknowledged order {order} of {units} units is missing")
    if over:
        require(sold == set(held) == set(answers), "held, sold and acknowledged orders differ")
    return len(answers)


def flash_sale(runs, folder, rate):
    """One sale, killed until it ends."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    journal, told = os.path.join(folder, "journal"), os.path.join(folder, "told")
    common = ["--scenario", "flash-sale", "--orders", str(SALE_ORDERS), "--rate", str(SALE_RATE), "--quiet",
              "--journal", journal, "--acknowledged", told, "--crash-rate", rate]
    database = os.path.join(journal, "journal.db")
    before, killed = runs.kills, True
    while killed:
        resume = ["--resume"] if rows(database, "journal = 'run'") else []
        if not resume:
            shutil.rmtree(journal, ignore_errors=True)
        if runs.dice.random() < 0.5:
            killed = runs.go([*common, *resume], after=runs.dice.randint(1, 2000))
        else:
            killed = runs.go([*common, *resume], wait=runs.dice.uniform(0.02, 2.5))
        acknowledged = check_sale(database, told, over=not killed)
    return runs.kills - before, acknowledged


def slow_customers(runs, folder):
    """Who takes the answers is slow, and there are some that he has not heard when the process ends: the next one tells them."""
    os.makedirs(folder)
    journal, told, pipe = (os.path.join(folder, n) for n in ("journal", "told", "pipe"))
    common = ["--scenario", "flash-sale", "--orders", "500", "--rate", str(SALE_RATE), "--quiet", "--journal", journal]
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDWR)
    fcntl.fcntl(reader, F_SETPIPE_SZ, 4096)
    os.set_blocking(reader, False)
    os.write(reader, b"x" * 3600)  # there is room for some answers
    require(runs.go([*common, "--acknowledged", pipe], wait=2), "ended by itself")
    heard = b""
    while chunk := read_some(reader):
        heard += chunk
    os.close(reader)
    with open(told, "wb") as f:
        f.write(heard.lstrip(b"x")[: heard.lstrip(b"x").rfind(b"\n") + 1])
    runs.go([*common, "--resume", "--acknowledged", told])
    print(f"slow customers: {check_sale(os.path.join(journal, 'journal.db'), told, over=True)} told", flush=True)


def read_some(pipe):
    try:
        return os.read(pipe, 1 << 16)
    except BlockingIOError:
        return b""


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--program", required=True)
    arguments.add_argument("--sample", required=True)
    arguments.add_argument("--directory", required=True)
    arguments.add_argument("--kills", type=int, default=50)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--data", help="the whole log of benchmarks; without it that part is left out")
    options = arguments.parse_args()
    shutil.rmtree(options.directory, ignore_errors=True)
    os.makedirs(options.directory)
    dice = random.Random(options.seed)
    runs = Runs(options, dice)
    market = options.kills * 2 // 5
    for name, rate, kills in (("calm", "0", market - market // 3), ("crashing", "0.01", market // 3)):
        for begun in range(0, kills, RUN_KILLS):
            folder = os.path.join(options.directory, f"{name}-{begun}")
            os.makedirs(folder)
            marketplace(runs, folder, min(RUN_KILLS, kills - begun), rate)
    slow_customers(runs, os.path.join(options.directory, "slow"))
    sale, at = runs.kills + options.kills // 5, 0
    while runs.kills < sale:
        rate = ("0", "0.01")[at % 2]
        n, acknowledged = flash_sale(runs, os.path.join(options.directory, "sale"), rate)
        print(f"flash sale, crash rate {rate}: {n} kills, {acknowledged} orders acknowledged: exact", flush=True)
        at += 1
    at = 0
    while runs.kills < options.kills:
        rule, rate = ("line", "order")[at % 2], ("0", "0.01")[at // 2 % 2]
        n, _ = replay(runs, os.path.join(options.directory, "replay"), options.sample, rule, 200, rate, 8)
        print(f"replay by {rule}, crash rate {rate}: {n} kills: exact", flush=True)
        at += 1
    if options.data and os.path.exists(options.data):
        for rule in ("line", "order"):
            n, found = replay(runs, os.path.join(options.directory, "log"), options.data, rule, 1000, "0", 4)
            print(f"replay of the whole log by {rule}: {n} kills: {found}", flush=True)
    elif options.data:
        print("skipped: the whole log is not there", flush=True)
    print(f"{runs.kills} kills, seed {options.seed}: nothing lost, nothing doubled")


if __name__ == "__main__":
    try:
        main()
    except Broken as broken:
        print(f"BROKEN: {broken}", file=sys.stderr)
        sys.exit(1)
