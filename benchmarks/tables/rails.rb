# Rails' find_each, without Rails: the loader makes everything ready and ends, its fork waits for a line and does the work.
#
#     ruby rails.rb database.db objects|wide
require "active_record"
require "sqlite3"

path, what = ARGV
class Person < ActiveRecord::Base
  self.table_name = "people"
  attribute :created_at, :datetime
end
class Document < ActiveRecord::Base
  self.table_name = "documents"
end

def memory_mb(what)
  File.read("/proc/self/status")[/#{what}:\s+(\d+)/, 1].to_i * 1024 / 1e6
end

ready = "ready"
worker = fork do
  ActiveRecord::Base.establish_connection(adapter: "sqlite3", database: path)
  model = what == "wide" ? Document : Person
  model.columns
  puts "#{ready} #{Process.pid}"
  STDOUT.flush
  STDIN.gets
  File.write("/proc/self/clear_refs", "5")
  before = memory_mb("VmRSS")
  count = years = characters = 0
  if what == "wide"
    model.find_each do |row|
      count += 1
      characters += row.body.length
    end
  else
    model.find_each do |row|
      count += 1
      years += row.created_at.year
      characters += row.email.length
    end
  end
  puts "#{count} #{years} #{characters} #{memory_mb("VmHWM") - before}"
  STDOUT.flush
  exit!
end
exit!
