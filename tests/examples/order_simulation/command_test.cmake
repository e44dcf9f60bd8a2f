# SPDX-License-Identifier: BSD-3-Clause
# Claim: bad input gets one line on standard error and exit status 2, and no output is begun; a good run writes what it is
# told to. Observed on the program itself. Run with PROGRAM, SAMPLE (an order log), DIRECTORY (to write in).

file(REMOVE_RECURSE "${DIRECTORY}")
file(MAKE_DIRECTORY "${DIRECTORY}")
set(header "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n")
set(row "1,A,x,2,2010-12-01 08:26:00,1.5,,France\n")
file(WRITE "${DIRECTORY}/header.csv" "Invoice,StockCode\n")
file(WRITE "${DIRECTORY}/empty.csv" "")
file(WRITE "${DIRECTORY}/row.csv" "${header}${row}1,A,x,many,2010-12-01 08:26:00,1.5,,France\n")
file(WRITE "${DIRECTORY}/columns.csv" "${header}${row}1,A\n")

set(failures 0)

# Each call: what to say after "order_simulation: ", then the arguments.
function(expect_refusal line)
  execute_process(COMMAND "${PROGRAM}" ${ARGN} --report "${DIRECTORY}/report.json"
    WORKING_DIRECTORY "${DIRECTORY}" RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE errors)
  if(NOT status EQUAL 2 OR NOT output STREQUAL "" OR NOT errors STREQUAL "order_simulation: ${line}\n"
      OR EXISTS "${DIRECTORY}/report.json")
    message(SEND_ERROR "${ARGN}: expected 2 and\norder_simulation: ${line}\ngot ${status} and\n${errors}${output}")
  endif()
endfunction()

set(replay --scenario replay --quiet --journal memory --input)
expect_refusal("missing.csv: cannot be opened: No such file or directory" ${replay} missing.csv)
expect_refusal(".: is a directory, not an order log" ${replay} .)
expect_refusal("empty.csv: is empty, not an order log" ${replay} empty.csv)
expect_refusal("row.csv:3: field Quantity: 'many' is not a whole number" ${replay} row.csv)
expect_refusal("row.csv:3: field Quantity: 'many' is not a whole number" ${replay} row.csv --rule order --final-stock s)
expect_refusal("--input: is required by --scenario replay" --scenario replay)
expect_refusal("--scenario: 'bazaar' is not one of marketplace, flash-sale, replay" --scenario bazaar)
expect_refusal("--crash-rate: '1' is not a probability P with 0 <= P < 1" --crash-rate 1)
expect_refusal("--orders: does not fit --scenario marketplace" --orders 5)
# Nor is a journal begun for it.
expect_refusal("missing.csv: cannot be opened: No such file or directory"
  --scenario replay --quiet --journal folder --input missing.csv)
if(EXISTS "${DIRECTORY}/folder")
  message(SEND_ERROR "a refused run has made a journal")
endif()
if(EXISTS "${DIRECTORY}/s")
  message(SEND_ERROR "a refused run has written the final stock")
endif()

# The header and the number of columns: the line must name the file and the place.
foreach(name header columns)
  execute_process(COMMAND "${PROGRAM}" ${replay} ${name}.csv WORKING_DIRECTORY "${DIRECTORY}"
    RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE errors)
  if(NOT status EQUAL 2 OR NOT output STREQUAL "" OR NOT errors MATCHES "^order_simulation: ${name}\\.csv:[13]: [^\n]+\n$")
    message(SEND_ERROR "${name}.csv: got ${status} and\n${errors}${output}")
  endif()
endforeach()

# A bad row may be left out, and is counted.
execute_process(COMMAND "${PROGRAM}" ${replay} row.csv --skip-bad-rows WORKING_DIRECTORY "${DIRECTORY}"
  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE errors)
if(NOT status EQUAL 0 OR NOT output MATCHES "skipped rows +1\n")
  message(SEND_ERROR "--skip-bad-rows: got ${status} and\n${errors}${output}")
endif()

# A good run: both files, and the same answers with failures.
foreach(rate 0 0.01)
  execute_process(COMMAND "${PROGRAM}" ${replay} "${SAMPLE}" --rule order --opening-stock 200 --crash-rate ${rate}
      --report report.json --final-stock stock.csv --workers 3
    WORKING_DIRECTORY "${DIRECTORY}" RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE errors)
  if(NOT status EQUAL 0 OR NOT errors STREQUAL "")
    message(FATAL_ERROR "--crash-rate ${rate}: got ${status} and\n${errors}${output}")
  endif()
  file(READ "${DIRECTORY}/report.json" report)
  file(SHA256 "${DIRECTORY}/stock.csv" written)
  string(JSON digest GET "${report}" replay final_stock_sha256)
  string(JSON accepted GET "${report}" replay accepted_orders)
  string(JSON workers GET "${report}" workers)
  string(JSON crashes GET "${report}" supervision crashes_injected)
  string(JSON restarts GET "${report}" supervision restarts)
  if(NOT digest STREQUAL "bc795a20395244463b0cac5b28221f7bafed76ea9eca4b68edc2fc2bfcf2f3d9"
      OR NOT written STREQUAL digest OR NOT accepted EQUAL 96 OR NOT workers EQUAL 3 OR NOT crashes EQUAL restarts)
    message(SEND_ERROR "--crash-rate ${rate}: wrong answers in\n${report}")
  endif()
endforeach()
file(REMOVE "${DIRECTORY}/report.json")

# A run that goes on: only in a journal that holds it, and with its options where the command line is silent.
file(WRITE "${DIRECTORY}/file" "")
set(kept --scenario replay --quiet --input "${SAMPLE}" --journal)
function(expect_kill)
  execute_process(COMMAND "${PROGRAM}" ${ARGN} WORKING_DIRECTORY "${DIRECTORY}"
    RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE errors)
  if(status EQUAL 0 OR NOT output STREQUAL "")
    message(SEND_ERROR "--kill-after: got ${status} and\n${errors}${output}")
  endif()
endfunction()
function(expect_end pattern)
  execute_process(COMMAND "${PROGRAM}" ${ARGN} WORKING_DIRECTORY "${DIRECTORY}" TIMEOUT 60
    RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE errors)
  if(NOT status EQUAL 0 OR NOT output MATCHES "${pattern}")
    message(SEND_ERROR "${ARGN}: got ${status} and\n${errors}${output}")
  endif()
endfunction()
expect_refusal("--journal: file is not a folder" ${kept} file)
expect_refusal("--resume: there is no journal in kept" ${kept} kept --resume)
expect_kill(${kept} kept --rule order --opening-stock 200 --kill-after 50)
expect_refusal("--journal: kept holds a run: go on with it by --resume, or name another one" ${kept} kept)
expect_refusal("--opening-stock: 7 differs from the 200 of the run in kept" ${kept} kept --resume --opening-stock 7)
expect_refusal("--rule: line differs from the order of the run in kept" ${kept} kept --resume --rule line)
expect_refusal("--input: kept holds a replay: give --scenario replay and its --input" --journal kept --resume)
expect_end("journal kept, resumed: process 2 of the run.*accepted orders +96\n" ${kept} kept --resume)
expect_kill(--journal market --quiet --transactions 900 --customers 300 --sellers 20 --concurrency 7 --seed 5 --kill-after 100)
expect_refusal("--seed: 6 differs from the 5 of the run in market" --journal market --resume --seed 6)
expect_end("marketplace,.* seed 5\n.*journal market, resumed: process 2 of the run.*Invariants" --journal market --resume --quiet)
expect_kill(--journal while --quiet --duration 1h --customers 300 --sellers 20 --kill-after 100)
expect_refusal("--duration: the run in while began with one; give one again" --journal while --resume)
expect_kill(--journal paced --quiet --rate 500 --transactions 9000 --customers 300 --sellers 20 --kill-after 100)
expect_refusal("--rate: the run in paced began with one; give one again" --journal paced --resume)
expect_refusal("--concurrency: 9 differs from the 7 of the run in market" --journal market --resume --concurrency 9)
expect_refusal("--rate: the run in market began with --concurrency 7 instead; leave it out" --journal market --resume --rate 500)
expect_kill(--scenario flash-sale --journal sale --quiet --orders 2000 --kill-after 100)
expect_end("flash-sale.*journal sale, resumed: process 2 of the run.*submitted +([12],)?[0-9][0-9][0-9]\n" --journal sale --resume --quiet)

# What the orders inside want is what they wanted when they were let in.
expect_kill(--scenario flash-sale --journal skewed --quiet --orders 2000 --skew zipf --zipf-constant 2 --kill-after 100)
expect_refusal("--skew: uniform differs from the zipf of the run in skewed" --journal skewed --resume --skew uniform)
expect_refusal("--zipf-constant: 3 differs from the 2 of the run in skewed"
  --journal skewed --resume --skew zipf --zipf-constant 3)
expect_end("flash-sale.*journal skewed, resumed: process 2 of the run.*Invariants" --journal skewed --resume --quiet)

# What customers are told and cannot be taken down ends the run, which may be resumed.
execute_process(COMMAND "${PROGRAM}" --journal full --quiet --transactions 900 --customers 300 --sellers 20
    --acknowledged /dev/full
  WORKING_DIRECTORY "${DIRECTORY}" TIMEOUT 60 RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE errors)
if(NOT status EQUAL 1 OR NOT errors STREQUAL
    "order_simulation: --acknowledged: /dev/full: cannot be written: No space left on device\n")
  message(SEND_ERROR "--acknowledged: got ${status} and\n${errors}${output}")
endif()
expect_end("journal full, resumed: process 2 of the run.*Invariants" --journal full --resume --quiet)

# A disk that fills up ends the run, with the reason; where there is room it may be resumed.
execute_process(COMMAND sh -c "ulimit -f 8192; trap '' XFSZ; exec '${PROGRAM}' --transactions 20000 --customers 1000 \
    --sellers 100 --quiet --journal filled" WORKING_DIRECTORY "${DIRECTORY}" TIMEOUT 60
  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE errors)
if(NOT status EQUAL 1 OR NOT errors MATCHES "^order_simulation: --journal: journal filled/journal.db: [^\n]+\n$")
  message(SEND_ERROR "a full disk: got ${status} and\n${errors}${output}")
endif()
expect_end("journal filled, resumed: process 2 of the run.*Invariants" --journal filled --resume --quiet)

# The failures of a driver with hundreds of clients: each restart must bring less to do than was done before it.
expect_kill(--journal hasty --quiet --rate 2000 --transactions 2000 --customers 300 --sellers 20 --kill-after 100)
expect_end("journal hasty, resumed: process 2 of the run.*Invariants" --journal hasty --resume --quiet --rate 2000 --crash-rate 0.01)

# A finished run is resumed: each process has its own number, and a refused one takes none.
set(done "--duration: the run in done began with --transactions 2000 instead; leave it out")
expect_end("journal done\n" --journal done --quiet --transactions 2000 --customers 300 --sellers 20)
expect_refusal("${done}" --journal done --resume --duration 1s --quiet)
expect_refusal("${done}" --journal done --resume --duration 1s --quiet)
expect_end("journal done, resumed: process 2 of the run.*Invariants" --journal done --resume --quiet)
expect_end("journal done, resumed: process 3 of the run.*Invariants" --journal done --resume --quiet)
expect_end("journal timed\n" --journal timed --quiet --duration 200ms --customers 300 --sellers 20)
expect_end("journal timed, resumed: process 2 of the run.*Invariants" --journal timed --resume --duration 200ms --quiet)
expect_end("journal timed, resumed: process 3 of the run.*Invariants" --journal timed --resume --duration 200ms --quiet)
expect_end("journal sale, resumed: process 3 of the run.*Invariants" --journal sale --resume --quiet)
expect_end("journal kept, resumed: process 3 of the run.*Invariants" ${kept} kept --resume)

if(NOT restarts GREATER 0)
  message(SEND_ERROR "no failure was injected")
endif()
